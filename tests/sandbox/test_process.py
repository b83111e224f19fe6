"""Process trees: started apart, measured, and killed with everything they started."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from farm.sandbox import tree
from farm.sandbox.process import Child, Order
from farm.sandbox.records import Records
from farm.words.errors import NotASetup
from tests.living import all_gone


def order(folder: Path, code: str) -> Order:
    argv = [sys.executable, "-c", textwrap.dedent(code)]
    return Order(argv, dict(os.environ), folder, folder / "log.txt")


SPAWNER = """
    import subprocess, sys, time
    deep = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    orphan = subprocess.Popen([sys.executable, "-c", deep], start_new_session=True)
    orphan.wait()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(child.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.anyio
async def test_killing_a_tree_takes_grandchildren_that_fled_from_their_session_along(tmp_path):
    child = await Child.start(order(tmp_path, SPAWNER))
    await child.stdout.readline()
    assert len(tree.members(child.identity)) == 3
    await child.kill()
    assert tree.members(child.identity) == []
    assert child.returncode == -9


@pytest.mark.anyio
async def test_a_tree_whose_root_ended_is_still_found_and_killed(tmp_path):
    child = await Child.start(order(tmp_path, SPAWNER.replace("time.sleep(60)\n", "sys.exit(0)\n", 1)))
    await child.stdout.readline()
    assert await child.wait(60) == 0
    assert tree.members(child.identity)
    await child.kill()
    assert tree.members(child.identity) == []


@pytest.mark.anyio
async def test_memory_and_cpu_of_the_whole_tree_are_measured(tmp_path):
    code = """
        import subprocess, sys, time
        busy = "data = bytes(50_000_000); t = __import__('time'); end = t.process_time() + 0.3\\n"
        busy += "while t.process_time() < end: pass\\nprint(1, flush=True); t.sleep(60)"
        subprocess.Popen([sys.executable, "-c", busy])
        time.sleep(60)
    """
    child = await Child.start(order(tmp_path, code))
    await child.stdout.readline()
    usage = await child.usage()
    assert usage.cpu_seconds >= 0.25
    assert usage.memory_bytes > 10_000_000
    await child.kill()


@pytest.mark.anyio
async def test_what_the_renderer_says_on_stderr_is_in_its_log(tmp_path):
    child = await Child.start(order(tmp_path, "import sys; sys.stderr.write('hello'); sys.exit(3)"))
    assert await child.wait(10) == 3
    assert (tmp_path / "log.txt").read_text() == "hello"
    await child.kill()


@pytest.mark.anyio
async def test_a_program_that_is_not_there_is_said_by_name(tmp_path):
    with pytest.raises(NotASetup, match="no-such-renderer"):
        await Child.start(Order(["/no-such-renderer"], {}, tmp_path, tmp_path / "log.txt"))


@pytest.mark.skipif(sys.platform != "linux", reason="PDEATHSIG is Linux's")
def test_a_killed_slave_leaves_no_child_behind(tmp_path):
    code = f"""
        import asyncio, sys
        from pathlib import Path
        from farm.sandbox.process import Child, Order
        async def main():
            folder = Path({str(tmp_path)!r})
            order = Order([sys.executable, "-c", "import time; time.sleep(60)"], {{}}, folder, folder / "log")
            child = await Child.start(order)
            print(child.identity.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    with parent.stdout:
        pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    assert all_gone(pid)


@pytest.mark.anyio
async def test_records_kill_what_an_earlier_run_left_and_nothing_else(tmp_path):
    records = Records(tmp_path / "records")
    child = await Child.start(order(tmp_path, "import time; time.sleep(60)"))
    bystander = await Child.start(order(tmp_path, "import time; time.sleep(60)"))
    records.add(child.identity)
    records.add(tree.Identity(bystander.identity.pid, bystander.identity.started - 100, "another"))
    (tmp_path / "records" / "7.json").write_text("{broken")
    assert await asyncio.to_thread(Records(tmp_path / "records").sweep) == 1
    await child.wait(5)
    assert bystander.returncode is None
    assert list((tmp_path / "records").iterdir()) == []
    await child.kill()
    await bystander.kill()
