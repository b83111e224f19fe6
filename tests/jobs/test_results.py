from __future__ import annotations

import asyncio
import contextlib
import io
import resource
import tarfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm.database import schema
from farm.files.disk import DiskStore
from farm.files.store import PIECE
from farm.jobs import unpack as unpacking
from farm.jobs.results import Arriving, record, stage
from farm.jobs.unpack import keep, opened, unpack, unpack_stream
from farm.words.errors import Conflict, DistrenError, HashMismatch, NotFound, TooLarge, UnsafePackage, WrongState
from farm.words.states import AttemptState
from tests.jobs.pretend import NOW, Farm, chunks, sha, tar_of

RESULT = tar_of(output_0001_png=b"p" * 5000, thumbnail=b"small", log=b"it rendered")
LIMIT = 10_000_000


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> DiskStore:
    return DiskStore(tmp_path_factory.mktemp("store"))


def nothing_stays(store: DiskStore) -> bool:
    return not list(store.hashes()) and not list((store.root / "incoming").iterdir())


def raw(name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE, **more: object) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.size = kind, len(data)
        for key, value in more.items():
            setattr(info, key, value)
        tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def absurd_header() -> bytes:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 5 * 2**30
    return info.tobuf() + b"x" * 1024


HOSTILE = {
    "no tar": b"this is no tar at all" * 100,
    "link": raw("output/x", b"", tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": raw("output/x", b"", tarfile.LNKTYPE, linkname="output/y"),
    "device": raw("output/x", b"", tarfile.CHRTYPE),
    "pipe": raw("output/x", b"", tarfile.FIFOTYPE),
    "absolute": raw("/etc/passwd"),
    "upwards": raw("output/../../x"),
    "elsewhere": raw("secrets/x"),
    "drive": raw("output/C:x"),
    "newline": raw("output/a\nb"),
    "long name": raw("output/" + "/".join(["n" * 100] * 6)),
    "cut": RESULT[:4000],
    "twice": tar_of(log=b"a")[:1024] + tar_of(log=b"b"),
    "case": raw("output/A.png")[:1024] + raw("output/a.png"),
    "huge header": absurd_header(),
}


@pytest.mark.parametrize("tar", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_tar_is_refused_and_nothing_of_it_stays(store: DiskStore, tar: bytes) -> None:
    with pytest.raises(UnsafePackage):
        asyncio.run(unpack_stream(store, chunks(tar), LIMIT))
    with pytest.raises(UnsafePackage):
        opened(tar, sha(tar), LIMIT)
    assert nothing_stays(store)


def test_too_many_bytes_are_refused_before_they_are_stored(store: DiskStore) -> None:
    with pytest.raises(TooLarge):
        asyncio.run(unpack_stream(store, chunks(tar_of(output_a=b"x" * 2000)), 1999))
    padded = RESULT + b"\0" * (LIMIT + 9_000_000)
    with pytest.raises(TooLarge):
        unpack(store, io.BytesIO(padded), LIMIT)
    assert nothing_stays(store)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3000), st.integers(0, len(RESULT) - 1))
def test_no_damage_breaks_more_than_the_result(store: DiskStore, damage: bytes, at: int) -> None:
    tar = RESULT[:at] + damage + RESULT[at + len(damage) :]
    streamed = inline = None
    with contextlib.suppress(UnsafePackage, TooLarge):
        streamed = unpack(store, io.BytesIO(tar), LIMIT)
    with contextlib.suppress(UnsafePackage, TooLarge):
        inline = keep(store, opened(tar, sha(tar), LIMIT))
    assert inline == streamed
    assert not list((store.root / "incoming").iterdir())


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=2000), st.integers(1, 5000))
def test_any_cut_of_the_stream_gives_the_same_result(store: DiskStore, data: bytes, size: int) -> None:
    tar = tar_of(output_a_exr=data, log=b"log")
    unpacked = asyncio.run(unpack_stream(store, chunks(tar, size), LIMIT))
    assert unpacked.tar.sha256 == sha(tar)
    assert unpacked.tar.size == len(tar)
    assert {(p.role, p.name): p.stored.sha256 for p in unpacked.pieces} == {
        ("output", "a.exr"): sha(data),
        ("log", "log.txt"): sha(b"log"),
    }


def test_a_sender_that_goes_away_leaves_nothing(store: DiskStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield RESULT[:3000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(unpack_stream(store, broken(), LIMIT))
    assert nothing_stays(store)


def test_an_upload_that_is_canceled_lets_its_thread_go(store: DiskStore) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield tar_of(output_a=b"x" * (3 * PIECE))[: 2 * PIECE]
        await asyncio.sleep(3600)

    async def cancel() -> None:
        task = asyncio.create_task(unpack_stream(store, stuck(), LIMIT))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(cancel(), 10))
    assert nothing_stays(store)


def test_an_upload_that_stands_still_is_given_up(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield RESULT[:100]
        await asyncio.sleep(3600)

    monkeypatch.setattr(unpacking, "PATIENCE", 0.2)
    with pytest.raises(DistrenError) as error:
        asyncio.run(unpack_stream(store, stuck(), LIMIT))
    assert error.value.code == "unavailable"
    assert nothing_stays(store)


def test_an_inline_result_with_a_lying_hash_is_refused(store: DiskStore) -> None:
    with pytest.raises(HashMismatch):
        opened(RESULT, sha(b"another"), LIMIT)
    assert keep(store, opened(RESULT, sha(RESULT), LIMIT)).tar.size == len(RESULT)


@pytest.fixture
def rendering(farm: Farm) -> Callable[[AttemptState], tuple[int, int]]:
    owner = farm.user("ada")
    slave = farm.slave("ws1", owner)
    job = farm.job(owner)
    return lambda state: (slave, farm.attempt(job, 1, slave, state))


def send(farm: Farm, slave: int, attempt: int, tar: bytes = RESULT, sha256: str | None = None) -> str:
    doing = stage(farm.database, farm.store, slave, attempt, Arriving(chunks(tar), LIMIT, sha256))
    return asyncio.run(doing).sha256


Rendering = Callable[[AttemptState], tuple[int, int]]


def test_a_staged_result_is_written_down_and_counts_for_nothing_yet(farm: Farm, rendering: Rendering) -> None:
    slave, attempt = rendering(AttemptState.OPEN)
    assert send(farm, slave, attempt, sha256=sha(RESULT)) == sha(RESULT)
    assert farm.count(schema.result_files) == 3
    row = farm.row(schema.result_files, schema.result_files.c.role == "output")
    assert (row.name, row.size, bool(row.accepted)) == ("0001.png", 5000, False)
    assert farm.store.size(row.hash.hex()) == 5000
    assert farm.row(schema.attempts, schema.attempts.c.id == attempt).result == bytes.fromhex(sha(RESULT))


def test_staging_again_changes_nothing_and_another_result_replaces_it(farm: Farm, rendering: Rendering) -> None:
    slave, attempt = rendering(AttemptState.OPEN)
    assert send(farm, slave, attempt) == send(farm, slave, attempt)
    assert farm.count(schema.result_files) == 3
    other = tar_of(output_0001_png=b"better")
    send(farm, slave, attempt, other)
    assert farm.row(schema.result_files).size == 6


def test_a_lost_attempts_late_result_is_welcome(farm: Farm, rendering: Rendering) -> None:
    slave, attempt = rendering(AttemptState.LOST)
    assert send(farm, slave, attempt) == sha(RESULT)


def test_a_counted_result_may_be_sent_again_but_not_changed(farm: Farm, rendering: Rendering) -> None:
    slave, attempt = rendering(AttemptState.OPEN)
    send(farm, slave, attempt)
    farm.accept(attempt)
    assert send(farm, slave, attempt) == sha(RESULT)
    with pytest.raises(Conflict, match="has its result already"):
        send(farm, slave, attempt, tar_of(output_0001_png=b"other"))
    assert farm.count(schema.result_files) == 3


def test_results_of_revoked_foreign_and_unknown_attempts_are_refused(farm: Farm, rendering: Rendering) -> None:
    slave, attempt = rendering(AttemptState.REVOKED)
    with pytest.raises(WrongState, match=f"Attempt {attempt} at frame 1 of job 1"):
        send(farm, slave, attempt)
    _, issued = rendering(AttemptState.OPEN)
    with pytest.raises(NotFound):
        send(farm, slave + 1, issued)
    with pytest.raises(NotFound):
        send(farm, slave, 999)
    assert farm.count(schema.result_files) == 0


def test_a_result_whose_hash_lies_is_refused(farm: Farm, rendering: Rendering) -> None:
    slave, attempt = rendering(AttemptState.OPEN)
    with pytest.raises(HashMismatch):
        send(farm, slave, attempt, sha256=sha(b"something else"))
    assert farm.count(schema.result_files) == 0


def test_a_crash_between_bytes_and_rows_is_healed_by_sending_again(farm: Farm, rendering: Rendering) -> None:
    slave, attempt = rendering(AttemptState.OPEN)
    unpacked = unpack(farm.store, io.BytesIO(RESULT), LIMIT)
    assert farm.count(schema.result_files) == 0
    assert send(farm, slave, attempt) == sha(RESULT)
    again = partial(record, slave=slave, attempt=attempt, unpacked=unpacked, at=NOW)
    assert farm.database.write_now(again).sha256 == sha(RESULT)
    assert farm.count(schema.result_files) == 3


def test_a_result_of_very_many_files_is_taken_in_with_few_of_them_open(store: DiskStore) -> None:
    data = tar_of(**{f"output_{number}_bphys": b"%d" % number for number in range(2000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 100, hard))
    try:
        taken = asyncio.run(unpack_stream(store, chunks(data), LIMIT))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(taken.pieces) == 2000
