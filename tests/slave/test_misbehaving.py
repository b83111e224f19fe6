"""Programs in jobs that eat what a slave has: its memory, its disk, its time when their last frame is done."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from farm.sandbox import bubblewrap
from farm.sandbox.bounds import Bounds
from farm.sandbox.bubblewrap import Bubblewrap, Cage
from farm.sandbox.wipe import wipe
from farm.slave import leftovers, meter, seat
from farm.slave.containment import Rooms
from farm.slave.leftovers import Leftovers
from farm.slave.seat import Seat
from farm.slave.session import Session
from farm.words.errors import RendererFailed
from tests.disks import small_disk
from tests.slave.cage import Place
from tests.slave.test_session import bench  # noqa: F401  a fixture

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is Linux's")]
MB = 1024 * 1024
LATER = "done(order, write(order)); threading.Thread(target=later, daemon=True).start()"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often at what renderers use."""
    monkeypatch.setattr(meter, "EVERY", 0.1)
    monkeypatch.setattr(meter, "PATIENCE", 2)
    monkeypatch.setattr(seat, "EVERY", 0.1)


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Place]:
    """A slave whose folders lie on a small disk."""
    with small_disk(tmp_path / "disk", 80 * MB) as disk:
        yield Place(disk)


async def until(happened, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def ended_idle(session: Session) -> None:
    """Wait until a slot that has nothing to do ends its open renderer."""
    slot = Seat(SimpleNamespace())
    slot.session = session
    watching = asyncio.create_task(slot.watch())
    try:
        await until(lambda: slot.session is None)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert not session.alive


async def test_a_renderer_that_says_events_without_end_waits_and_does_not_fill_the_slaves_memory(bench):  # noqa: F811
    code = f"""
        def later():
            while True: say("progress", fraction=0.5, text="x" * 1000)
        def render(order): {LATER}
    """
    session = await bench.open(code)
    await session.render(bench.work())
    await until(session._events.full)
    written = session._child.stdout._buffer
    await asyncio.sleep(0.2)
    assert session._events.full()
    assert len(written) <= 4 * MB
    await session.render(bench.work(2))


async def test_however_much_a_renderer_prints_its_log_stays_small_and_in_order(bench):  # noqa: F811
    code = """
        def render(order):
            for n in range(300):
                print("x" * 65536)
                say("progress", fraction=n / 1000)
            print("the last words")
            done(order, write(order))
    """
    session = await bench.open(code)
    await session.render(bench.work())
    assert session.log.path.stat().st_size <= 17 * MB
    assert session.log.of_frame().endswith("the last words\n")


async def test_a_renderer_that_computes_when_it_has_nothing_to_do_is_ended(bench, quick):  # noqa: F811
    session = await bench.open(f"def later():\n    while True: pass\ndef render(order): {LATER}")
    await session.render(bench.work())
    await ended_idle(session)


async def test_a_renderer_that_is_quiet_stays_open(bench, quick):  # noqa: F811
    session = await bench.open("def render(order): done(order, write(order))")
    await session.render(bench.work())
    for _ in range(10):
        await asyncio.sleep(0.11)
        assert await session.astray() == ""
    await session.render(bench.work(2))


async def test_bounds_hold_when_the_last_frame_is_done(place, quick):
    code = f"""
        def later():
            global data
            data = b"x" * 300_000_000
            time.sleep(600)
        def render(order): {LATER}
    """
    session = await place.child(code, Bounds(memory_bytes=200_000_000))
    await session.render(place.work())
    await ended_idle(session)


@pytest.mark.parametrize("where", ["os.memfd_create('x')", "os.open('/dev/shm/x', os.O_RDWR | os.O_CREAT)"])
async def test_memory_counts_that_a_program_has_in_files(place, quick, where):
    code = f"""
        def render(order):
            file = {where}
            for _ in range(300): os.write(file, bytes(1_000_000))
            time.sleep(600)
    """
    session = await place.child(code, Bounds(memory_bytes=200_000_000))
    with pytest.raises(RendererFailed, match=r"ran out of memory: it used 0\.\d GB"):
        await session.render(place.work())


async def test_memory_that_is_mapped_counts_once(place, quick):
    code = """
        import mmap
        def render(order):
            file = os.memfd_create("x")
            os.truncate(file, 150_000_000)
            global mapped
            mapped = mmap.mmap(file, 150_000_000)
            mapped.write(bytes(150_000_000))
            done(order, write(order))
    """
    session = await place.child(code, Bounds(memory_bytes=200_000_000))
    await session.render(place.work())
    assert await session.astray() == ""


@pytest.mark.parametrize("trace", ["", "os.unlink(path)"], ids=["a file", "a file without a name"])
async def test_a_renderer_that_fills_the_disk_is_ended_and_others_go_on(narrow, quick, trace):
    filling = f"""
        def render(order):
            path = os.path.join(os.environ.get("HOME") or os.getcwd(), "ballast")
            with open(path, "wb", buffering=0) as out:
                {trace or "pass"}
                try:
                    while out.write(bytes(4096)): pass
                except OSError: time.sleep(600)
    """
    other = await narrow.child("def render(order): done(order, write(order))")
    modest, narrow.rooms = narrow.rooms, Rooms.make(narrow.folders.sessions, "2-")
    session = await narrow.child(filling)
    try:
        with pytest.raises(RendererFailed, match=r"Frame 7 of job 1 filled the disk .*: 0\.1 GB were its own"):
            await session.render(narrow.work())
        assert await other.astray() == ""
        await session.kill()
        wipe(narrow.rooms.folder)
        narrow.rooms = modest
        await other.render(narrow.work(2))
    finally:
        for each in narrow.sessions:
            await each.kill()
        narrow.lock.release()


async def test_what_outlives_sessions_stays_within_its_bounds(place, tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "SHADERS", MB)
    monkeypatch.setattr(leftovers, "UNFINISHED", MB)
    folders, outside = place.folders, tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(bytes(10))
    for circle, bytes_ in (("all", 10_000), ("greedy", 3 * MB)):
        (folders.shaders_of(circle) / "mesa").mkdir()
        (folders.shaders_of(circle) / "mesa" / "index").write_bytes(bytes(bytes_))
    (folders.shaders_of("greedy") / "link").symlink_to(outside)
    for job, bytes_ in (("1-1", 10_000), ("2-1", 3 * MB), ("3-1", 10_000)):
        (folders.unfinished / job).mkdir()
        (folders.unfinished / job / "state").write_bytes(bytes(bytes_))
    old = time.time() - leftovers.KEPT - 10
    for path in (folders.unfinished / "3-1" / "state", folders.unfinished / "3-1"):
        os.utime(path, (old, old))
    Leftovers(folders).tidy()
    assert [path.name for path in folders.unfinished.iterdir()] == ["1-1"]
    assert list(folders.shaders_of("greedy").iterdir()) == []
    assert (folders.shaders_of("all") / "mesa" / "index").exists()
    assert (outside / "kept").exists()


async def test_folders_in_each_other_without_end_go_with_the_session(place):
    code = """
        def render(order):
            for _ in range(1500):
                os.mkdir("in")
                os.chdir("in")
            done(order, write(order))
    """
    slot = Seat(SimpleNamespace())
    slot.session, slot._folder = await place.child(code), place.rooms.folder
    await slot.session.render(place.work())
    await slot.kill()
    assert not place.rooms.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root may become somebody else")
def test_the_system_itself_stops_a_fork_bomb_of_a_slave_that_is_not_root(monkeypatch):
    monkeypatch.setattr(bubblewrap, "_THREADS", 60)
    folder = Path(tempfile.mkdtemp(prefix="distren-bomb-"))
    try:
        folder.chmod(0o777)
        (folder / "tmp").mkdir(mode=0o777)
        (folder / "tmp").chmod(0o777)
        bomb = "i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i+1)); echo $i; done"
        argv = Bubblewrap.find().around(["/bin/sh", "-c", bomb], folder, Cage((), (folder,), folder / "tmp"))
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = subprocess.run([*nobody, *argv], capture_output=True, text=True, timeout=120, check=False)
    finally:
        shutil.rmtree(folder)
    assert "fork" in done.stderr.lower(), done.stderr
    assert 20 < len(done.stdout.split()) < 60, "its other processes do not count"


async def test_who_never_takes_an_order_is_given_up(bench, monkeypatch):  # noqa: F811
    monkeypatch.setattr("farm.slave.session._DEAF", 0.5)
    session = await bench.start("", main='say("hello", version="1", engines=[])\ntime.sleep(600)')
    await session.greet()
    with pytest.raises(RendererFailed, match=r"the renderer took no order for 0\.5 s"):
        await session.open({"do": "open", "files": ["x" * 1000] * 1000}, bench.work().allowance)
