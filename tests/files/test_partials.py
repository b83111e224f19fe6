"""Uploads that break off, and go on."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from farm.files.disk import KEPT, DiskStore
from farm.files.partials import Upload
from farm.files.store import take_in
from farm.words.errors import BrokenOff, DiskFull, HashMismatch, WrongOffset

DATA = bytes(range(256)) * 12_000
NAME = hashlib.sha256(DATA).hexdigest()
ADAS = Upload("user-1", NAME, 10**9)


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path)


async def stream(data: bytes, *, breaks: bool = False) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 100_000):
        yield data[at : at + 100_000]
    if breaks:
        raise BrokenOff("It broke off.")


def send(store: DiskStore, start: int, end: int = len(DATA), upload: Upload = ADAS, data: bytes = DATA) -> None:
    sending = stream(data[start:end], breaks=end < len(data))
    asyncio.run(take_in(store, sending, NAME, len(DATA), upload, start))


def breaks_off(store: DiskStore, start: int, end: int, upload: Upload = ADAS, data: bytes = DATA) -> None:
    with pytest.raises(BrokenOff):
        send(store, start, end, upload, data)


def partials(store: DiskStore) -> list[Path]:
    return [path for path in (store.root / "partial").rglob("*") if path.is_file()]


def test_an_upload_goes_on_where_it_broke_off_again_and_again(store: DiskStore) -> None:
    start = 0
    for end in (700_000, 700_001, 2_500_000):
        breaks_off(store, start, end)
        start = store.arrived(ADAS)
        assert start == end
    send(store, start)
    assert store.local(NAME).read_bytes() == DATA
    assert store.local(NAME).stat().st_mode & 0o777 == 0o444
    assert partials(store) == []
    assert store.arrived(ADAS) == 0


def test_nobody_goes_on_with_anothers_upload(store: DiskStore) -> None:
    breaks_off(store, 0, 1_000_000)
    eves = Upload("user-2", NAME, 10**9)
    assert store.arrived(eves) == 0
    with pytest.raises(WrongOffset):
        send(store, 1_000_000, upload=eves)
    assert store.arrived(ADAS) == 1_000_000


def test_a_gap_is_refused_and_says_where_to_go_on(store: DiskStore) -> None:
    breaks_off(store, 0, 1_000_000)
    with pytest.raises(WrongOffset) as refused:
        send(store, 2_000_000)
    assert refused.value.facts["offset"] == 1_000_000
    send(store, 1_000_000)


def test_a_damaged_beginning_is_noticed_at_the_end_and_thrown_away(store: DiskStore) -> None:
    breaks_off(store, 0, 1_000_000, data=b"x" * len(DATA))
    with pytest.raises(HashMismatch):
        send(store, 1_000_000)
    assert (store.arrived(ADAS), partials(store), store.size(NAME)) == (0, [], None)


def test_two_that_send_the_same_at_once_do_not_disturb_each_other(store: DiskStore) -> None:
    breaks_off(store, 0, 1_000_000)
    first = store.incoming(len(DATA), ADAS, 1_000_000)
    assert store.arrived(ADAS) == 0, "the first goes on with it: the second begins anew"
    second = store.incoming(len(DATA), ADAS)
    first.write(DATA[1_000_000:2_000_000])
    second.write(DATA[:500_000])
    first.leave()
    assert store.arrived(ADAS) == 2_000_000
    second.write(DATA[500_000:])
    second.keep(NAME, len(DATA))
    assert store.local(NAME).read_bytes() == DATA
    third = store.incoming(len(DATA), ADAS, 2_000_000)
    third.write(DATA[2_000_000:])
    third.keep(NAME, len(DATA))
    assert partials(store) == []


def test_of_several_that_broke_off_the_longest_stays(store: DiskStore) -> None:
    ends = [store.incoming(len(DATA), ADAS) for _ in range(3)]
    for count, incoming in enumerate(ends, 1):
        incoming.write(DATA[: count * 100_000])
    for incoming in reversed(ends):
        incoming.leave()
    assert [path.stat().st_size for path in partials(store)] == [300_000]


def test_what_broke_off_never_takes_more_than_the_quota_and_the_oldest_goes_first(store: DiskStore) -> None:
    for name in ("old", "middle", "new"):
        breaks_off(store, 0, 1_000_000, Upload("user-1", name, 2_500_000))
        for path in partials(store):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    assert sorted(path.name.partition(".")[0] for path in partials(store)) == ["middle", "new"]


def test_what_nobody_goes_on_with_expires_but_not_what_is_being_sent(store: DiskStore) -> None:
    breaks_off(store, 0, 1_000_000)
    writing = store.incoming(len(DATA), Upload("user-2", NAME, 10**9))
    for path in partials(store):
        os.utime(path, (0, time.time() - KEPT + 100))
    store.tidy(1)
    assert len(partials(store)) == 2
    for path in partials(store):
        os.utime(path, (0, time.time() - KEPT - 100))
    store.tidy(1)
    assert [path.parent.name for path in partials(store)] == ["user-2"]
    writing.drop()


def test_a_full_disk_takes_the_place_of_what_broke_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DiskStore(tmp_path)
    breaks_off(store, 0, 1_000_000)
    monkeypatch.setattr(store, "reserve", 1 << 60)
    with pytest.raises(DiskFull):
        store.incoming(10)
    assert partials(store) == []


def test_an_upload_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from farm.files.disk import DiskStore
from farm.files.partials import Upload
incoming = DiskStore(Path({str(tmp_path)!r})).incoming(3_072_000, Upload("user-1", {NAME!r}, 10**9))
incoming.write((bytes(range(256)) * 12_000)[:1_000_000])
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == -9
    store = DiskStore(tmp_path)
    assert store.arrived(ADAS) == 1_000_000
    send(store, 1_000_000)
    assert store.local(NAME).read_bytes() == DATA
