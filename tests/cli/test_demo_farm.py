"""The demo's processes: nothing of them is left, however the demo ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from farm.client.farmclient import FarmClient
from farm.simulator.ownfarm import OwnFarm, new_folder
from farm.words.errors import NotASetup
from tests.living import all_gone


def test_at_the_end_no_process_and_no_folder_is_left(tmp_path: Path) -> None:
    with OwnFarm(tmp_path / "run") as farm:
        ready = farm.start_server()
        pids = [member.process.pid for member in farm.members]
        with FarmClient(str(ready["url"])) as client:
            assert client.server_info().name == "demo"
    assert all_gone(*pids)
    assert not (tmp_path / "run").exists()


def test_an_exception_ends_the_farm_too(tmp_path: Path) -> None:
    pids: list[int] = []

    def interrupted() -> None:
        with OwnFarm(tmp_path / "run") as farm:
            farm.start_server()
            pids.extend(member.process.pid for member in farm.members)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert pids
    assert all_gone(*pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_a_killed_demo_leaves_no_server(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from farm.simulator.ownfarm import OwnFarm\n"
        f"farm = OwnFarm(Path({str(tmp_path / 'run')!r})); farm.__enter__(); farm.start_server()\n"
        "print(farm.members[0].process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        server = int(demo.stdout.readline())
        assert psutil.pid_exists(server)
        demo.kill()
        assert all_gone(server)


def test_a_process_that_ends_by_itself_is_named_with_its_log(tmp_path: Path) -> None:
    with OwnFarm(tmp_path / "run") as farm:
        farm.start_server()
        farm.members[0].process.send_signal(signal.SIGTERM)
        farm.members[0].process.wait(10)
        with pytest.raises(NotASetup, match="demo's server ended"):
            farm.check()


def test_a_server_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    with OwnFarm(tmp_path / "one") as first, OwnFarm(tmp_path / "two") as second:
        port = int(str(first.start_server()["url"]).rpartition(":")[2])
        with pytest.raises(NotASetup, match=f"port {port}"):
            second.start_server(port)


def test_folders_of_demos_that_are_gone_are_removed(tmp_path: Path) -> None:
    for name in ("run-999999999", f"run-{os.getppid()}", "scene-1"):
        (tmp_path / name).mkdir()
    assert new_folder(tmp_path).name == f"run-{os.getpid()}"
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"run-{os.getppid()}", "scene-1"]
