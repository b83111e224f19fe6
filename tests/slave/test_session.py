"""Sessions with real processes: what they say, and how they die."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from farm.methods.base import Launch
from farm.sandbox.records import Records
from farm.slave.limits import Allowance
from farm.slave.session import Session, State, Work
from farm.words.errors import NotASetup, RendererFailed
from farm.words.states import FailureClass
from tests.living import all_gone

pytestmark = pytest.mark.anyio

CHILD = """
import json, os, sys, threading, time
def say(event, **facts):
    sys.stdout.write("\\x1e" + json.dumps({"event": event, **facts}) + "\\n")
    sys.stdout.flush()
def write(order, name="a.txt"):
    path = os.path.join(order["output"], name)
    open(path, "w").write("picture")
    return path
def done(order, *files):
    say("done", attempt=order["attempt"], files=list(files), seconds=0.1, cpu_seconds=0, memory=1000)
def main(render):
    say("hello", version="1", engines=[])
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "open":
            say("opened", seconds=0, warnings=[], memory=5, facts={})
        elif order["do"] == "render":
            render(order)
        else:
            return
"""


class Bench:
    """A session with a child whose `render` is given as source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[float] = []
        self.session: Session | None = None

    async def start(self, code: str, main: str = "main(render)") -> Session:
        source = CHILD + textwrap.dedent(code) + f"\n{main}\n"
        launch = Launch([sys.executable, "-c", source], dict(os.environ), self.folder)
        records = Records(self.folder / "records")
        self.session = await Session.start(launch, self.folder, records, "job 12")
        return self.session

    async def open(self, code: str) -> Session:
        session = await self.start(code)
        await session.open({"do": "open"}, Allowance(10, 10))
        return session

    def work(self, attempt: int = 1, allowance: Allowance | None = None) -> Work:
        output = self.folder / f"out{attempt}"
        output.mkdir()
        tell = lambda fraction, memory: self.told.append(fraction)  # noqa: E731
        return Work(f"Frame 7 of job 12 ({attempt})", attempt, 7, 7, output, allowance or Allowance(20, 20), tell)


@pytest.fixture
async def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    if made.session:
        await made.session.kill()
        assert list((tmp_path / "records").iterdir()) == []


async def failure(session: Session, work: Work) -> RendererFailed:
    with pytest.raises(RendererFailed) as caught:
        await session.render(work)
    return caught.value


async def test_frames_are_rendered_one_after_the_other_in_one_process(bench):
    session = await bench.open("def render(order): done(order, write(order))")
    for attempt in (1, 2, 3):
        result = await session.render(bench.work(attempt))
        assert result.files["a.txt"].read_text() == "picture"
    assert session.frames == 3
    await session.close()
    assert not session.alive


async def test_garbage_on_stdout_is_log_and_lines_may_be_split_anywhere(bench):
    code = r"""
        def render(order):
            path = write(order)
            text = "\x1e{not json}\n" + "garbage \xff\n" + '\x1e{"event": 5}\n\x1e[1]\n' + "half a line"
            text += "\x1e" + json.dumps({"event": "done", "attempt": order["attempt"], "files": [path]}) + "\n"
            for at in range(0, len(text), 3):
                os.write(1, text[at:at + 3].encode("latin-1"))
                time.sleep(0.001)
    """
    session = await bench.open(code)
    await session.render(bench.work())
    said = session.log.of_frame()
    assert "garbage" in said
    assert "half a line" in said
    assert "not json" in said


async def test_progress_is_told(bench):
    code = """
        def render(order):
            for n in range(4): say("progress", fraction=n / 4, remaining=4 - n, memory=9)
            done(order, write(order))
    """
    await (await bench.open(code)).render(bench.work())
    assert bench.told == [0, 0.25, 0.5, 0.75]


async def test_a_crash_is_the_slaves_fault_and_names_the_frame_and_the_signal(bench):
    session = await bench.open("def render(order): print('bad pointer', file=sys.stderr); os.abort()")
    error = await failure(session, bench.work())
    assert error.message == "Frame 7 of job 12 (1) failed: the renderer crashed (SIGABRT)."
    assert error.facts["failure_class"] is FailureClass.SLAVE
    assert "bad pointer" in error.facts["log"]


async def test_a_crash_is_noticed_while_a_grandchild_holds_the_pipes(bench):
    code = """
        import subprocess
        def render(order):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            os._exit(11)
    """
    error = await failure(await bench.open(code), bench.work())
    assert "exit code 11" in error.message


async def test_a_renderer_that_the_system_killed_most_likely_had_no_memory(bench):
    error = await failure(await bench.open("def render(order): os.kill(os.getpid(), 9)"), bench.work())
    assert "memory ran out" in error.message
    assert not error.facts["short"], "but this one had hardly begun"


@pytest.mark.parametrize(
    ("said", "short"),
    [
        ("Error: Out of memory", True),
        ("MemoryError", True),
        ("Calloc returns null: len=17179869184", True),
        ("System is out of GPU memory", False),
        ("CUDA error: Out of memory in cuMemAlloc", False),
        ("The scene has no camera.", False),
    ],
)
async def test_what_a_renderer_says_tells_whether_the_machine_is_too_small(bench, said, short):
    code = f'def render(order): say("failed", attempt=order["attempt"], **{{"class": "slave"}}, message={said!r})'
    error = await failure(await bench.open(code), bench.work())
    assert bool(error.facts["short"]) is short


async def test_a_job_that_fails_is_the_jobs_fault(bench):
    code = "def render(order): say('failed', attempt=order['attempt'], message='No camera.', **{'class': 'job'})"
    error = await failure(await bench.open(code), bench.work())
    assert error.facts["failure_class"] is FailureClass.JOB
    assert "No camera." in error.message


async def test_a_renderer_that_computes_in_silence_is_not_hung(bench):
    code = """
        def render(order):
            end = time.monotonic() + 9
            while time.monotonic() < end:
                pass
            done(order, write(order))
    """
    await (await bench.open(code)).render(bench.work(allowance=Allowance(30, 5)))


async def test_a_frame_without_progress_is_stopped_though_its_renderer_repeats_itself(bench):
    code = """
        def render(order):
            while True:
                say("progress", fraction=0.5, remaining=3, memory=1)
                time.sleep(0.05)
    """
    began = time.monotonic()
    error = await failure(await bench.open(code), bench.work(allowance=Allowance(30, 0.6)))
    assert "made no progress for 0.6 s" in error.message
    assert time.monotonic() - began < 20


async def test_a_frame_that_takes_too_long_is_stopped_though_it_comes_further(bench):
    code = """
        def render(order):
            for n in range(10000):
                say("progress", fraction=n / 10000, remaining=3, memory=1)
                time.sleep(0.05)
    """
    error = await failure(await bench.open(code), bench.work(allowance=Allowance(0.6, 30)))
    assert "took longer than its render limit of 0.6 s" in error.message


async def test_done_without_a_file_of_the_frames_own_folder_is_a_failure(bench):
    code = """
        def render(order):
            os.symlink("/etc/passwd", os.path.join(order["output"], "link"))
            files = {1: [], 2: ["/etc/passwd"], 3: [os.path.join(order["output"], "link")], 4: [5]}
            done(order, *files[order["attempt"]])
    """
    for attempt in (1, 2, 3, 4):
        session = await bench.open(code)
        assert "no file" in (await failure(session, bench.work(attempt))).message
        await session.kill()


async def test_killing_takes_all_grandchildren_along(bench):
    code = """
        import subprocess
        sleep = "import time; time.sleep(60)"
        deep = "import subprocess, sys, time\\n"
        deep += f"print(subprocess.Popen([sys.executable, '-c', {sleep!r}], start_new_session=True).pid, flush=True)\\n"
        deep += "time.sleep(60)"

        def render(order):
            child = subprocess.Popen([sys.executable, "-c", deep], stdout=subprocess.PIPE, text=True)
            open(os.path.join(order["output"], "pids"), "w").write(f"{child.pid} {child.stdout.readline().strip()}")
            say("progress", fraction=0.1, remaining=1, memory=1)
            time.sleep(60)
    """
    session = await bench.open(code)
    work = bench.work()
    rendering = asyncio.create_task(session.render(work))
    while not bench.told:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    pids = [int(p) for p in (work.output / "pids").read_text().split()]
    assert all(map(psutil.pid_exists, pids))
    rendering.cancel()
    await session.kill()
    assert all_gone(*pids)


async def test_opening_that_fails_says_whose_fault_it_is(bench):
    main = (
        "say('hello'); sys.stdin.readline(); say('failed', attempt=None, message='No such file.', **{'class': 'job'})"
    )
    session = await bench.start("", main)
    with pytest.raises(RendererFailed, match=r"Opening .*job 12: No such file\.") as caught:
        await session.open({"do": "open"}, Allowance(5, 5))
    assert caught.value.facts["failure_class"] is FailureClass.JOB


async def test_a_renderer_that_was_replaced_since_it_was_tried_renders_nothing(bench):
    session = await bench.start("def render(order): pass")
    with pytest.raises(RendererFailed, match=r"the renderer is 1 now, and was 4\.5\.2") as caught:
        await session.open({"do": "open"}, Allowance(5, 5), "4.5.2")
    assert caught.value.facts["failure_class"] is FailureClass.SLAVE


async def test_a_renderer_that_dies_before_its_hello_is_said_so(bench):
    session = await bench.start("", "sys.stderr.write('libGL is missing'); sys.exit(3)")
    with pytest.raises(RendererFailed, match="exit code 3") as caught:
        await session.open({"do": "open"}, Allowance(5, 5))
    assert "libGL is missing" in caught.value.facts["log"]


async def test_a_renderer_that_ignores_quit_is_killed(bench):
    session = await bench.open(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\ndef render(order): time.sleep(99)"
    )
    task = asyncio.create_task(session.render(bench.work()))
    await asyncio.sleep(0.1)
    task.cancel()
    await session.close()
    assert session._child.returncode == -signal.SIGKILL


async def test_a_program_that_is_not_there_is_the_slaves_setup(tmp_path):
    with pytest.raises(NotASetup):
        await Session.start(Launch(["/nowhere"], {}, tmp_path), tmp_path, Records(tmp_path / "r"), "job 1")


async def test_a_session_refuses_what_its_state_does_not_admit(bench):
    session = await bench.start("def render(order): pass")
    with pytest.raises(RuntimeError, match="started"):
        await session.render(bench.work())
    assert session.state is State.STARTED


async def test_a_log_without_end_is_cut_and_its_end_kept(bench):
    code = """
        def render(order):
            for _ in range(20): sys.stderr.write("x" * 1_000_000 + "\\n")
            sys.stderr.write("the end\\x00\\x1b[31m!\\n"); sys.stderr.flush()
            time.sleep(0.5)
            done(order, write(order))
    """
    session = await bench.open(code)
    await session.render(bench.work())
    session.log.trim()
    assert session.log.path.stat().st_size < 17_000_000
    assert len(session.log.tail()) <= 65536
