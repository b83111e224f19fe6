"""A slave whose disk is full: really, on a small file system of its own."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from PIL import Image

from farm.client.landing import Landing
from farm.methods.base import Launch, Offered
from farm.protocol.slaves import Finished
from farm.sandbox.records import Records
from farm.slave import space
from farm.slave.agent import Agent
from farm.slave.cache import BlobCache
from farm.slave.events import Events
from farm.slave.folders import Folders
from farm.slave.held import Stage
from farm.slave.outbox import Outbox, Ready
from farm.slave.session import Session
from farm.words.errors import NoRoom
from farm.words.states import FailureClass
from tests.blenders import run_inside, two
from tests.disks import fill, leave, small_disk
from tests.slave.fakefarm import FakeFarm
from tests.slave.test_agent import Running, settings, slave
from tests.slave.test_containment import sheet

pytestmark = pytest.mark.anyio
HERE = Path(__file__).parent
MB = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 80 * MB) as place:
        yield place


def happened(running: Running, event: str) -> list[dict]:
    return [told for told in running.told if told["event"] == event]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_the_cache_gives_way_before_anything_else(disk):
    source = os.urandom(40 * MB)
    cache = BlobCache(disk / "cache", 10**12)

    async def bring(target: Path) -> None:
        target.write_bytes(source)  # noqa: ASYNC240

    old = await cache.get(hashlib.sha256(source).hexdigest(), len(source), bring)
    farm = FakeFarm()
    farm.job(1, range(1, 3))
    async with slave(disk, farm, cache_size=10**12, free_space=60 * MB) as running:
        await farm.until(lambda: len(farm.done) == 2)
        assert not old.exists()
        assert happened(running, "no room to render") == []
        await running.end()


async def test_files_of_a_job_that_is_only_kept_open_give_way_too(disk, monkeypatch):
    monkeypatch.setattr(space, "_LOOK", 0.5)
    farm = FakeFarm()
    farm.job(1, range(1, 3), {"large.bin": b"l" * 30 * MB})
    async with slave(disk, farm, free_space=60 * MB) as running:
        await farm.until(lambda: len(farm.done) == 2)
        await farm.until(lambda: not files_in(disk / "cache"))
        await farm.until(lambda: happened(running, "there is room to render again"))
        farm.job(2, range(1, 3))
        await farm.until(lambda: len(farm.done) == 4)
        await running.end()
    assert not farm.failed


async def test_a_file_is_fetched_in_the_place_of_one_that_was_used_longer_ago(disk):
    cache = BlobCache(disk, 10**12)

    def landing(data: bytes):
        async def bring(target: Path) -> None:
            arriving = Landing(target, hashlib.sha256(data).hexdigest(), len(data))
            arriving.open()
            try:
                arriving.write(data)
                arriving.finish()
            finally:
                arriving.close()

        return hashlib.sha256(data).hexdigest(), len(data), bring

    blobs = [bytes([n]) * 30 * MB for n in range(3)]
    paths = [await cache.get(*landing(data)) for data in blobs]
    assert [path.exists() for path in paths] == [False, True, True]
    with pytest.raises(NoRoom) as caught:
        await cache.get(*landing(b"x" * 90 * MB))
    assert str(disk) in caught.value.message
    assert [path.exists() for path in paths] == [False, False, False]
    assert caught.value.facts["needed_bytes"] > 9 * MB


async def test_a_full_disk_pauses_the_slave_which_says_where_and_heals_by_itself(disk):
    farm = FakeFarm()
    farm.per_lease = 1
    farm.job(1, range(1, 5), seconds=0.5, output_bytes=100_000)
    async with slave(disk, farm, slots=1) as running:
        await farm.until(lambda: running.agent.desk.in_stage(Stage.RENDERING))
        fill(disk / "filler")
        await farm.until(lambda: farm.failed)
        assert farm.failed[0].failure_class is FailureClass.SLAVE
        assert "disk is full (work, state, cache)" in farm.failed[0].message
        assert str(disk) not in farm.failed[0].message, "artists need not know the slave's folders"
        (told,) = happened(running, "no room to render")
        assert f"work ({running.folders.work})" in told["reason"]
        await farm.until(lambda: farm.reports[-1].message == told["reason"])
        failed, done = len(farm.failed), len(farm.done)
        await asyncio.sleep(1)
        assert (len(farm.failed), len(farm.done)) == (failed, done), "nothing is taken while there is no room"
        assert not running.agent.desk.held
        (disk / "filler").unlink()
        farm.ready.extend((1, n) for n in range(1, 5) if (1, n) not in farm.done and (1, n) not in farm.ready)
        await farm.until(lambda: len(farm.done) == 4)
        assert happened(running, "there is room to render again")
        assert farm.reports[-1].message == ""
        await running.end()
    for result in farm.done.values():
        (picture,) = (data for name, data in result.items() if name.endswith(".png"))
        Image.open(io.BytesIO(picture)).load()
    assert files_in(running.folders.results) == []
    assert files_in(running.folders.attempts) == []


async def test_a_frame_that_is_too_large_for_the_disk_fails_and_the_next_job_is_rendered(disk):
    farm = FakeFarm()
    farm.job(1, range(1, 2), output_bytes=100 * MB)
    async with slave(disk, farm) as running:
        await farm.until(lambda: farm.failed)
        assert farm.failed[0].failure_class is FailureClass.SLAVE
        farm.job(2, range(1, 3))
        await farm.until(lambda: len(farm.done) == 2)
        await running.end()
    assert len(farm.failed) == 1


async def test_a_project_that_is_too_large_for_the_disk_is_said_so(disk):
    farm = FakeFarm()
    farm.job(1, range(1, 2), {"huge.bin": b"h" * 90 * MB})
    async with slave(disk, farm) as running:
        await farm.until(lambda: farm.failed)
        assert farm.failed[0].failure_class is FailureClass.SLAVE
        assert "disk is full" in farm.failed[0].message
        farm.job(2, range(1, 3))
        await farm.until(lambda: len(farm.done) == 2)
        await running.end()
    assert files_in(disk / "cache") == []


@pytest.mark.blender
@pytest.mark.parametrize("which", [0, 1], ids=["program", "bpy"])
async def test_no_truncated_picture_of_a_real_blender_counts(disk, tmp_path, which):
    blender = two()[which]
    run_inside(blender, HERE / "make_large.py", tmp_path / "making", str(tmp_path / "large.blend"))
    farm = FakeFarm()
    farm.job(1, range(1, 2), {"large.blend": (tmp_path / "large.blend").read_bytes()})
    farm.sheets[1] = sheet(blender, "large.blend", farm.sheets[1].files)
    async with blender_slave(disk, farm, blender) as told:
        await farm.until(lambda: farm.done or farm.failed, 120)
        whole = picture(farm, 1)
        fill(disk / "filler", MB)
        farm.ready.append((1, 2))
        await farm.until(lambda: farm.failed or (1, 2) in farm.done, 60)
        assert (1, 2) not in farm.done
        assert farm.failed[0].failure_class is FailureClass.SLAVE
        assert "disk is full" in farm.failed[0].message
        (disk / "filler").unlink()
        farm.ready.append((1, 2))
        await farm.until(lambda: (1, 2) in farm.done or len(farm.failed) > 1, 60)
        assert picture(farm, 2).size == whole.size
        assert any(event["event"] == "there is room to render again" for event in told)


def picture(farm: FakeFarm, frame: int) -> Image.Image:
    assert not farm.failed or (1, frame) in farm.done, farm.failed
    (data,) = (data for name, data in farm.done[1, frame].items() if name.endswith(".png"))
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@asynccontextmanager
async def blender_slave(disk: Path, farm: FakeFarm, blender: Offered):
    chosen = settings(disk)
    folders, told = Folders.of(chosen), []
    lock = folders.claim()
    agent = Agent(chosen, farm, folders, [blender], Events(told.append))
    running = asyncio.create_task(agent.run())
    try:
        yield told
    finally:
        agent.stop(now=True)
        await running
        lock.release()


async def test_a_renderer_that_can_not_be_noted_down_does_not_run(disk):
    records, folder = Records(disk / "records"), disk / "session"
    folder.mkdir()
    fill(disk / "filler")
    launch = Launch([sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ), folder)
    before = _children()  # other tests of this process keep databases running
    with pytest.raises(OSError, match="No space left"):
        await Session.start(launch, folder, records, "job 1")
    assert _children() - before == set()


def _children() -> set[psutil.Process]:
    return {p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE}


async def test_a_result_that_can_not_be_noted_down_leaves_nothing(disk):
    outbox = Outbox(disk / "results")
    outbox.place(7).write_bytes(b"a tar")
    fill(disk / "filler")
    with pytest.raises(OSError, match="No space left"):
        outbox.keep(Ready(1, 1, 5, Finished(attempt=7, sha256="0" * 64, seconds=1), outbox.path(7)))
    assert files_in(outbox.folder) == []
    assert outbox.ready == {}


async def rendered_with(disk: Path, farm: FakeFarm, rooms: Iterable[tuple[int | None, int | None]]) -> int:
    """Have a job rendered with each amount of room; return in how many something of it did not fit."""
    refused = 0
    for job, (pages, names) in enumerate(rooms, 1):
        before, wanted = len(farm.failed) + len(farm.returned), {(job, 1), (job, 2)}
        leave(disk, pages, names)
        farm.job(job, range(1, 3), {"scene.bin": os.urandom(60_000)}, output_bytes=30_000)
        for _ in range(100):  # until it is done, or there is no room for it
            if wanted <= farm.done.keys() or len(farm.failed) + len(farm.returned) > before:
                break
            await asyncio.sleep(0.05)
        leave(disk)
        refused += not wanted <= farm.done.keys()
        async with asyncio.timeout(60):
            while not wanted <= farm.done.keys():
                held = {*farm.ready, *farm.open.values(), *farm.done}
                farm.ready.extend(sorted(wanted - held))
                await asyncio.sleep(0.05)
    return refused


async def a_slave_lives_through(disk: Path, rooms: Iterable[tuple[int | None, int | None]]) -> int:
    """Let a slave render with each amount of room; return in how many something did not fit."""
    farm = FakeFarm()
    async with slave(disk, farm, slots=1) as running:
        refused = await rendered_with(disk, farm, rooms)
        await running.end()
    assert {failed.failure_class for failed in farm.failed} <= {FailureClass.SLAVE}, farm.failed
    for result in farm.done.values():
        (picture,) = (data for name, data in result.items() if name.endswith(".png"))
        Image.open(io.BytesIO(picture)).load()
    assert files_in(running.folders.results) == []
    assert files_in(running.folders.attempts) == []
    return refused


@pytest.fixture
def no_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slave that goes on to the last byte: usually 16 MiB are kept free, so that it never comes to this."""
    monkeypatch.setattr(space, "FULL", 0)
    monkeypatch.setattr(space, "_LOOK", 0.2)
    monkeypatch.setattr(space, "_LOOK_AGAIN", 0.2)


async def test_a_slaves_disk_may_be_full_at_any_write(disk, no_reserve):
    assert await a_slave_lives_through(disk, [(20, None), (None, 2), (1000, 1000)]) == 2


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_a_slaves_disk_may_be_full_at_each_write(disk, no_reserve):
    assert await a_slave_lives_through(disk, [(pages, None) for pages in range(60)]) > 20
    assert await a_slave_lives_through(disk, [(None, names) for names in range(25)]) > 5
