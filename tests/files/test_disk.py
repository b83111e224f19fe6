from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.files.disk import DiskStore
from farm.files.store import PIECE, take_in
from farm.words.errors import DiskFull, FileNotHere, HashMismatch, LengthMismatch


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def put(store: DiskStore, data: bytes, sha256: str | None = None, size: int | None = None) -> str:
    return asyncio.run(take_in(store, chunks(data), sha256, size)).sha256


def get(store: DiskStore, sha256: str, start: int = 0, end: int | None = None) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in store.open_range(sha256, start, end)])

    return asyncio.run(read())


def left(store: DiskStore) -> list[str]:
    return [path.name for path in (store.root / "incoming").iterdir()]


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "blobs")


def test_what_was_put_is_read_back(store: DiskStore) -> None:
    name = put(store, b"a picture", sha(b"a picture"), 9)
    assert get(store, name) == b"a picture"
    assert store.size(name) == 9
    assert left(store) == []


@settings(max_examples=40)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5), st.integers(0, 310), st.integers(0, 310))
def test_any_cut_of_a_stream_gives_the_same_blob_and_any_range_reads_right(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cuts: list[int], start: int, end: int
) -> None:
    store = DiskStore(tmp_path_factory.getbasetemp() / "shared")
    edges = [0, *sorted(cuts), len(data)]
    parts = [data[a:b] for a, b in itertools.pairwise(edges)]
    stored = asyncio.run(take_in(store, chunks(*parts), sha(data), len(data)))
    assert get(store, stored.sha256, start, end) == data[start:end]


def test_an_empty_file_is_a_blob(store: DiskStore) -> None:
    assert get(store, put(store, b"", size=0)) == b""


def test_a_lying_hash_leaves_nothing(store: DiskStore) -> None:
    with pytest.raises(HashMismatch):
        put(store, b"other bytes", sha(b"the announced ones"))
    assert left(store) == []
    assert list(store.hashes()) == []


@pytest.mark.parametrize("size", [3, 4, 6, 1000])
def test_a_lying_length_leaves_nothing(store: DiskStore, size: int) -> None:
    with pytest.raises(LengthMismatch):
        put(store, b"12345", sha(b"12345"), size)
    assert left(store) == []
    assert list(store.hashes()) == []


def test_a_stream_that_breaks_off_leaves_nothing(store: DiskStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * PIECE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(take_in(store, broken()))
    assert left(store) == []


def test_an_upload_that_is_canceled_leaves_nothing(store: DiskStore) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * PIECE
            await asyncio.sleep(0)

    async def cancel() -> None:
        task = asyncio.create_task(take_in(store, endless()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert left(store) == []


def test_the_same_blob_from_many_at_once_is_kept_once(store: DiskStore) -> None:
    data = os.urandom(3 * PIECE)

    async def both() -> list[str]:
        done = await asyncio.gather(*(take_in(store, chunks(data[:100], data[100:]), sha(data)) for _ in range(8)))
        return [stored.sha256 for stored in done]

    assert set(asyncio.run(both())) == {sha(data)}
    assert get(store, sha(data)) == data
    assert left(store) == []


def test_a_blob_that_is_not_here_is_named_so(store: DiskStore) -> None:
    with pytest.raises(FileNotHere):
        get(store, sha(b"nowhere"))
    assert store.size(sha(b"nowhere")) is None


def test_removal_spares_what_was_just_put_again(store: DiskStore) -> None:
    name = put(store, b"old")
    os.utime(store.local(name), (0, 0))
    put(store, b"old")
    assert not store.delete(name, older_than=60)
    assert get(store, name) == b"old"
    os.utime(store.local(name), (0, 0))
    assert store.delete(name, older_than=60)
    assert store.size(name) is None
    assert not store.delete(name, older_than=60)


def test_tidying_clears_old_uploads_and_brings_half_removed_blobs_back(store: DiskStore) -> None:
    name = put(store, b"precious")
    store.local(name).rename(store.root / "trash" / f"{name}.77")
    for file, age in (("dead", 7200), ("alive", 0)):
        (store.root / "incoming" / file).write_bytes(b"half")
        os.utime(store.root / "incoming" / file, (time.time() - age,) * 2)
    store.tidy(older_than=3600)
    assert get(store, name) == b"precious"
    assert left(store) == ["alive"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    # A limit on the size of files stands for the disk's end: no root needed, and only in a process of its own.
    script = f"""
import asyncio, resource, sys
from pathlib import Path
from farm.files.disk import DiskStore
from farm.files.store import take_in
from farm.words.errors import DiskFull
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
store = DiskStore(Path({str(tmp_path)!r}))
async def stream():
    for _ in range(5):
        yield b"x" * 1_000_000
try:
    asyncio.run(take_in(store, stream()))
except DiskFull as error:
    print(error.code, len(list((store.root / "incoming").iterdir())))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["disk_full", "0"]


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounting needs root")
def test_a_real_disk_that_fills_up_keeps_what_it_has(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        store = DiskStore(tmp_path / "blobs")
        kept = put(store, b"k" * 1_000_000)
        with pytest.raises(DiskFull):
            put(store, os.urandom(8_000_000))
        assert left(store) == []
        assert len(get(store, kept)) == 1_000_000
        assert put(store, b"small enough")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_reserve_of_free_disk_is_kept(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, reserve=1 << 60)
    with pytest.raises(DiskFull):
        put(store, b"x")


def test_a_large_upload_takes_constant_memory(tmp_path: Path) -> None:
    script = f"""
import asyncio, resource
from pathlib import Path
from farm.files.disk import DiskStore
from farm.files.store import take_in
store = DiskStore(Path({str(tmp_path)!r}))
piece = bytes(65536)
async def stream(count):
    for _ in range(count):
        yield piece
asyncio.run(take_in(store, stream(64)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
asyncio.run(take_in(store, stream(4096)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert int(done.stdout) < 20_000, "kilobytes more for 256 MB than for 4 MB"


def test_blobs_are_read_only(store: DiskStore) -> None:
    name = put(store, b"x")
    assert store.local(name).stat().st_mode & 0o777 == 0o444


def test_sealed_bytes_are_no_blob_until_they_are_shown(store: DiskStore) -> None:
    incoming = store.incoming(9)
    incoming.write(b"a picture")
    sealed = incoming.seal(sha(b"a picture"), 9)
    assert (store.size(sealed.sha256), len(left(store))) == (None, 1)
    incoming.show()
    store.sync([sealed.sha256])
    incoming.drop()
    assert (store.size(sealed.sha256), left(store)) == (9, [])


def test_sealed_bytes_that_are_dropped_leave_nothing(store: DiskStore) -> None:
    incoming = store.incoming(9)
    incoming.write(b"a picture")
    sealed = incoming.seal()
    incoming.drop()
    assert (store.size(sealed.sha256), left(store)) == (None, [])
