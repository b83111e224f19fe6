"""The demo as people run it: a process, with a real Blender."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.conftest import Run

pytestmark = [pytest.mark.blender, pytest.mark.timeout(600)]


def _demo(*words: object) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "farm.cli.main", "demo", *map(str, words)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def _of_this_demo(cache: Path) -> list[str]:
    """Return the command lines of processes that a demo with this cache folder left."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.environ().get("XDG_CACHE_HOME", "")]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and str(cache) in " ".join(words):
            found.append(" ".join(words))
    return found


@pytest.fixture
def cache(home: Path) -> Iterator[Path]:
    """Return the cache folder of this test; afterwards nothing that uses it may run, and no farm be in it."""
    place = home / "cache"
    yield place
    assert _of_this_demo(place) == []
    assert list((place / "distren" / "demo").glob("run-*")) == []


def _see_pictures(answer: dict[str, Any], folder: Path) -> None:
    assert (answer["pictures"], answer["job"]["state"]) == (2, "done")
    assert [(job["requires"]["method"], job["state"]) for job in answer["beside"]] == [("povray", "done")]
    pictures = sorted(folder.rglob("*.png"))
    assert [p.parent.name for p in pictures] == ["povray"] * 2 + ["pictures"] * 2
    assert [p.read_bytes()[:4] for p in pictures] == [b"\x89PNG"] * 4
    assert Path(answer["video"]).parent == folder
    assert Path(answer["video"]).read_bytes()[4:8] == b"ftyp"


@pytest.mark.soak
def test_the_demo_brings_pictures_and_leaves_nothing_running(cache: Path, tmp_path: Path) -> None:
    with _demo("--frames", "1-2", "--dir", tmp_path / "pictures", "--json") as demo:
        said, complaints = demo.communicate(timeout=300)
    assert demo.returncode == 0, complaints
    _see_pictures(json.loads(said), tmp_path / "pictures")


@pytest.mark.parametrize("stage", ["Making", "Starting", "Rendering"])
def test_ctrl_c_in_the_middle_leaves_nothing_running(cache: Path, tmp_path: Path, stage: str) -> None:
    with _demo("--dir", tmp_path / "pictures") as demo:
        assert demo.stderr is not None
        for text in demo.stderr:
            if text.startswith(stage):
                break
        time.sleep(0.5)
        # As a terminal does it: to all of the foreground's processes.
        os.killpg(demo.pid, signal.SIGINT)
        complaints = demo.communicate(timeout=60)[1]
    assert demo.returncode == 130
    assert complaints.splitlines()[-1] == "Stopped."
    assert "Traceback" not in complaints
    assert not list((cache / "distren" / "demo").glob("making-*"))


def test_the_demo_brings_pictures_and_stays_up_until_told_to_end(cache: Path, tmp_path: Path, run: Run) -> None:
    with _demo("--keep", "--frames", "1-2", "--dir", tmp_path / "pictures", "--json") as demo:
        assert demo.stdout is not None
        answer = json.loads(demo.stdout.readline())
        _see_pictures(answer, tmp_path / "pictures")
        words = ("login", answer["user"], "--server", answer["url"], "--passphrase-stdin")
        assert run(*words, input=answer["passphrase"] + "\n").exit_code == 0
        shown = run("logs", f"{answer['job']['job']}/1")
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert (shown.exit_code, shown.stdout != "") == (0, True)
