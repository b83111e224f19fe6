"""Renderers inside of bubblewrap: real ones, and programs that try to get out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from farm.methods.base import Launch, MethodConfig, Offered, needs_of_python
from farm.methods.registry import method
from farm.protocol.jobs import FileEntry, Limits
from farm.protocol.slaves import JobSheet
from farm.sandbox.bounds import Bounds
from farm.sandbox.bubblewrap import Bubblewrap
from farm.slave.agent import Agent
from farm.slave.containment import Containment
from farm.slave.events import Events
from farm.slave.folders import Folders
from farm.slave.limits import Allowance
from farm.slave.session import Session
from farm.words.errors import NotASetup, RendererFailed
from tests.blenders import run_inside, two
from tests.living import all_gone
from tests.slave.cage import Place
from tests.slave.fakefarm import FakeFarm
from tests.slave.hostile import ESCAPE, PROBE
from tests.slave.test_agent import settings
from tests.slave.test_session import CHILD

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is Linux's")]
HERE = Path(__file__).parent


@pytest.fixture
def facts(place):
    """What a hostile job knows of this machine; there really is something to reach, read and see."""
    with socket.create_server(("127.0.0.1", 0)) as server, local_doors() as door:
        forbidden = [str(path) for path in Path.home().iterdir() if path.is_file()]
        forbidden += ["/home", "/etc/shadow", "/etc/passwd", "/var/log", str(place.folders.state / "lock")]
        (place.settings.cache / "blob").write_text("another job's file")
        forbidden += [
            str(place.settings.cache / "blob"),
            str(place.other / "scene.txt"),
            str(place.rooms.folder / "renderer.log"),
        ]
        unwritable = [
            "/x",
            "/usr/x",
            "/etc/x",
            "/var/x",
            "/dev/x",
            str(place.tree / "x"),
            str(place.rooms.folder / "x"),
        ]
        unwritable += [
            str(place.tree / "scene.txt"),
            str(place.folders.attempts / "x"),
            "/proc/sys/kernel/core_pattern",
        ]
        yield {
            "port": server.getsockname()[1],
            "socket": door,
            "scratch": str(place.rooms.scratch),
            "file": str(place.tree / "scene.txt"),
            "read": [*forbidden, str(place.tree / "scene.txt")],
            "write": [*unwritable, str(place.rooms.scratch / "x"), str(place.rooms.output / "x"), "/tmp/probe"],
            "pid": os.getpid(),
            "mark": f"{7000 + os.getpid() % 1000}.{time.time_ns() % 10**6}",
        }


@contextlib.contextmanager
def local_doors() -> Iterator[str]:
    """Give the name of two sockets of this machine: one in a folder, one in no folder."""
    with tempfile.TemporaryDirectory(prefix="distren-", dir="/var/tmp") as folder:  # short: a name has 107 bytes
        name = f"{folder}/door"
        with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
            for each, address in ((one, name), (other, f"\0{name}")):
                each.bind(address)
                each.listen()
            yield name


NEVER = {
    "connect", "resolve", "local", "abstract", "link", "hard link", "kill", "trace", "memory", "terminal", "namespace",
    "mount", "root", "priority", "badness",
}  # fmt: skip
"""What the probe tries, and must not be able to."""


def check(said: dict, place: Place, facts: dict) -> None:
    allowed = [str(place.tree / "scene.txt")]
    able = {what for what in NEVER if said[what] == "yes"}
    assert able <= ({"namespace"} if "--disable-userns" not in Bubblewrap.find().options else set())
    assert said["interfaces"] == ["lo"]
    assert [path for path, answer in said["read"].items() if answer == "yes"] == allowed
    # These tests' folders seem to lie in the sandbox's own /tmp, too: this machine's are those that count.
    reached = [path for path, answer in said["write"].items() if answer == "yes" and Path(path).exists()]
    assert reached == [str(place.rooms.scratch / "x"), str(place.rooms.output / "x")]
    assert said["write"]["/tmp/probe"] == "yes"
    assert said["kill"] == "ProcessLookupError"
    assert len(said["processes"]) <= 3
    assert not {"DISTREN_SLAVE_PASSWORD", "HOSTNAME", "USER", "LOGNAME"} & said["environment"].keys()
    assert not Path("/tmp/probe").exists()
    assert (place.tree / "scene.txt").read_text() == "a job's file"


def sleepers(mark: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", mark]]


async def flown(mark: str) -> bool:
    """Wait for the process that fled from its session; it is there, or this test shows nothing."""
    end = time.monotonic() + 10
    while not sleepers(mark) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return bool(sleepers(mark))


def probed(session: Session) -> dict:
    line = next(line for line in session.log.tail().splitlines() if line.startswith("PROBE "))
    return json.loads(line.removeprefix("PROBE "))


async def test_a_hostile_program_reaches_nothing_but_its_job_and_leaves_nothing_running(place, facts, monkeypatch):
    monkeypatch.setenv("DISTREN_SLAVE_PASSWORD", "secret")
    (place.tree / "facts.json").write_text(json.dumps(facts))
    code = f"FACTS = {str(place.tree / 'facts.json')!r}\n" + PROBE + "\ndef render(order): done(order, write(order))"
    session = await place.child(code)
    assert await flown(facts["mark"])
    check(probed(session), place, facts)
    await session.kill()
    assert not sleepers(facts["mark"])


@pytest.mark.parametrize("which", [0, 1], ids=["program", "bpy"])
async def test_scripts_in_a_hostile_blend_reach_nothing_but_their_job(place, facts, which):
    blender = two()[-1 if which else 0]
    blend(blender, place)
    (place.tree / "facts.json").write_text(json.dumps(facts))
    launch = method("blender").launch(blender, sheet(blender, "hostile.blend"), place.tree, place.rooms.scratch)
    session = await place.start(launch)
    await session.open(launch.open, Allowance(120, 120))
    check(probed(session), place, facts)
    assert await flown(facts["mark"])
    await session.kill()
    assert not sleepers(facts["mark"])


@pytest.mark.parametrize("which", [0, 1], ids=["program", "bpy"])
async def test_pictures_are_the_same_inside_and_outside(place, which):
    blender = two()[-1 if which else 0]
    blend(blender, place)
    pixels = []
    for containment in (Containment(), await place.containment([blender])):
        farm = FakeFarm()
        base = place.base / ("inside" if containment.works else "outside")
        hand_in(farm, 1, range(1, 4), blender, place.tree / "plain.blend")
        pixels.append(await rendered(farm, base, blender, containment))
    assert pixels[0] == pixels[1]
    assert len(set(pixels[0])) == 3


async def test_a_job_that_writes_elsewhere_and_spoils_what_it_can_harms_neither_the_slave_nor_the_next_job(place):
    blender = two()[0]
    blend(blender, place)
    outside, escape = place.base / "outside of it", place.base / "escape.py"
    outside.mkdir()
    escape.write_text(ESCAPE)
    words = (place.tree / "plain.blend", place.tree / "escaping.blend", escape, outside)
    run_inside(blender, HERE / "make_escaping.py", place.base / "making", *map(str, words))
    farm = FakeFarm()
    for job, name in enumerate(("plain.blend", "escaping.blend", "plain.blend"), 1):
        hand_in(farm, job, range(1, 2), blender, place.tree / name)
    before, _, after = await rendered(farm, place.base / "inside", blender, await place.containment([blender]))
    assert before == after
    assert list(outside.iterdir()) == []
    assert {"0001.png", "log.txt"} < farm.done[2, 1].keys(), "what nodes write elsewhere comes home, too"


def hand_in(farm: FakeFarm, job: int, frames: range, blender: Offered, file: Path) -> None:
    farm.job(job, frames, {file.name: file.read_bytes()})
    farm.sheets[job] = sheet(blender, file.name, farm.sheets[job].files, job)


async def rendered(farm: FakeFarm, base: Path, blender: Offered, containment: Containment) -> list[str | None]:
    chosen = settings(base)
    folders = Folders.of(chosen)
    lock = folders.claim()
    agent = Agent(chosen, farm, folders, [blender], Events(), containment)
    running = asyncio.create_task(agent.run())
    await farm.until(lambda: farm.failed or not (farm.ready or farm.open), 180)
    agent.stop()
    await running
    lock.release()
    assert not farm.failed, farm.failed
    assert all(f.cpu_seconds > 0 and f.peak_memory_bytes > 20_000_000 for f in farm.finished)
    assert list(folders.sessions.iterdir()) == []
    return [f.pixels for f in sorted(farm.finished, key=lambda f: f.attempt)]


def blend(blender: Offered, place: Place) -> None:
    probe = place.base / "probe.py"
    probe.write_text(PROBE)
    run_inside(blender, HERE / "make_hostile.py", place.base / "making", str(place.tree), str(probe))


def sheet(blender: Offered, source: str, files: Sequence[FileEntry] = (), job: int = 1) -> JobSheet:
    return JobSheet(
        job=job, revision=1, address="", name="", method="blender", version=blender.offer.version, newer=False,
        engine="", settings={"scripts": True}, source=source, files=list(files),
        limits=Limits(render_seconds=120, silence_seconds=120),
    )  # fmt: skip


async def test_crashes_inside_are_told_as_those_outside(place):
    session = await place.child("def render(order): os.abort()")
    with pytest.raises(RendererFailed, match=r"the renderer crashed \(SIGABRT\)"):
        await session.render(place.work())


async def test_a_renderer_that_needs_too_much_memory_is_stopped_and_says_so(place):
    code = "def render(order):\n    data = bytearray(os.urandom(1000)) * 400_000\n    time.sleep(60)"
    session = await place.child(code, Bounds(memory_bytes=200_000_000))
    with pytest.raises(
        RendererFailed, match=r"Frame 7 of job 1 ran out of memory: it used 0\.\d GB, and .* 0\.2 GB"
    ) as caught:
        await session.render(place.work())
    assert caught.value.facts["short"], "a bigger machine may do"


async def test_a_renderer_that_starts_too_many_processes_is_stopped(place):
    code = """
        import subprocess
        def render(order):
            for _ in range(30): subprocess.Popen(["/usr/bin/sleep", "60"])
            time.sleep(60)
    """
    session = await place.child(code, Bounds(processes=20))
    with pytest.raises(RendererFailed, match="processes, and this slave allows 20"):
        await session.render(place.work())


async def test_cpu_time_of_the_renderer_is_measured_through_the_sandbox(place):
    code = """
        def render(order):
            end = time.process_time() + 0.5
            while time.process_time() < end: pass
            done(order, write(order))
    """
    session = await place.child(code)
    done = await session.render(place.work())
    assert 0.4 < done.cpu_seconds < 5


async def test_a_contained_renderer_dies_with_its_slave(place):
    session = await place.child("def render(order): pass")
    members = [p.pid for p in psutil.Process(session._child.identity.pid).children(recursive=True)]
    assert len(members) == 2
    psutil.Process(session._child.identity.pid).kill()
    assert await asyncio.to_thread(all_gone, *members)


async def test_files_that_are_needed_later_appear_in_a_running_sandbox(place):
    code = f"""
        def render(order):
            text = open({str(place.tree / "later.txt")!r}).read()
            path = write(order)
            open(path, "w").write(text)
            done(order, path)
    """
    session = await place.child(code)
    (place.tree / "later.txt").write_text("late")
    done = await session.render(place.work())
    assert done.files["a.txt"].read_text() == "late"


async def test_a_renderer_in_a_home_folder_is_refused_by_name(place):
    needs = (Path.home(),)
    launch = Launch([sys.executable], {}, place.rooms.scratch, needs=needs)
    containment = await place.containment()
    with pytest.raises(NotASetup, match="jobs would see all that is in there"):
        containment.around(launch, place.tree, place.rooms)


async def test_the_slaves_folders_stay_hidden_inside_of_a_renderers_folder(place):
    (place.folders.state / "secret").write_text("secret")
    code = f"""
        def render(order):
            path = write(order)
            open(path, "w").write(str([os.path.exists(p) for p in ({str(place.folders.state)!r}, {str(place.base)!r})]))
            done(order, path)
    """
    source = CHILD + textwrap.dedent(code) + "\nmain(render)\n"
    needs = (*needs_of_python(Path(sys.executable)), place.base)
    session = await place.start(Launch([sys.executable, "-c", source], {}, place.rooms.scratch, needs=needs))
    await session.open({"do": "open"}, Allowance(20, 20))
    done = await session.render(place.work())
    assert done.files["a.txt"].read_text() == "[False, True]"


async def test_a_slave_says_at_login_whether_jobs_are_contained(place):
    farm = FakeFarm()
    seen = []
    login = farm.login

    async def heard(wish):
        seen.append(wish.hardware)
        return await login(wish)

    farm.login = heard
    offered = method("sleep").offers(MethodConfig())
    agent = Agent(place.settings, farm, place.folders, offered, Events(), await place.containment())
    running = asyncio.create_task(agent.run())
    await farm.until(lambda: farm.logins)
    agent.stop()
    await running
    assert (seen[0].contained, seen[0].containment) == (True, "contained by bubblewrap")


async def test_the_cages_are_gone_when_the_slave_has_ended(place):
    farm = FakeFarm()
    farm.job(1, range(4))
    offered = method("sleep").offers(MethodConfig())
    agent = Agent(place.settings, farm, place.folders, offered, Events(), await place.containment())
    running = asyncio.create_task(agent.run())
    await farm.until(lambda: len(farm.done) == 4)
    agent.stop()
    await running
    assert not [p for p in psutil.Process().children(recursive=True) if p.name() == "bwrap"]
