"""The server process: starts fast, once per folder, says when it is ready, stops cleanly."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from farm.words.errors import NotASetup
from tests.serving import serving

_PROGRAM = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from farm.server.process import run
from farm.words.logs import configure
from farm.words.settings import ServerSettings, load
configure("json")
settings = load(ServerSettings, data=sys.argv[1], host="127.0.0.1", port=0, free_space=0)
run(settings, lambda ready: print(json.dumps(asdict(ready)), flush=True))
"""


def started(folder: Path, around: Callable[[list[str]], list[str]] = list) -> subprocess.Popen[str]:
    """Start a server; `around` makes a command line of another program that runs it."""
    # What is written in Rust may hang in the middle of a backtrace that there is no memory for.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DISTREN_") and k != "RUST_BACKTRACE"}
    with (folder.parent / "log").open("ab") as log:
        return subprocess.Popen(
            around([sys.executable, "-c", _PROGRAM, str(folder)]),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**environment, "DISTREN_CONFIG": os.devnull},
        )


def ready(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    facts: dict[str, str] = json.loads(process.stdout.readline())
    return facts


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_a_second_start_finds_everything(tmp_path: Path, number: signal.Signals) -> None:
    first = started(tmp_path / "data")
    said = ready(first)
    first.send_signal(number)
    assert first.communicate(timeout=30)[0] == ""
    assert first.returncode == 0
    second = started(tmp_path / "data")
    again = ready(second)
    second.send_signal(number)
    second.communicate(timeout=30)
    assert (again["name"], again["setup_code"]) == (said["name"], said["setup_code"])
    for line in (tmp_path / "log").read_text().splitlines():
        assert {"event", "level", "timestamp"} <= set(json.loads(line)), line


def test_it_survives_being_killed(tmp_path: Path) -> None:
    first = started(tmp_path / "data")
    said = ready(first)
    first.kill()
    first.communicate()
    second = started(tmp_path / "data")
    assert ready(second)["setup_code"] == said["setup_code"]
    second.terminate()
    second.communicate(timeout=30)


def test_it_is_small(tmp_path: Path) -> None:
    process = started(tmp_path / "data")
    ready(process)
    memory = psutil.Process(process.pid).memory_info().rss
    process.terminate()
    process.communicate(timeout=30)
    assert memory < 120_000_000


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "data"),
        pytest.raises(NotASetup, match=f"process {os.getpid()}"),
        serving(tmp_path / "data"),
    ):
        pass


def test_a_port_that_is_taken_is_named_with_the_mend(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NotASetup, match=f"port {port}") as caught, serving(tmp_path / "data", port=port):
            pass
    assert "--port" in caught.value.hint


def test_unsafe_settings_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotASetup, match="no TLS"), serving(tmp_path / "data", host="8.8.8.8"):
        pass
    assert not (tmp_path / "data").exists()


def test_a_full_disk_of_its_log_does_not_stop_it(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("This system has no /dev/full.")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DISTREN_")}
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            env={**environment, "DISTREN_CONFIG": os.devnull},
        )
    url = ready(process)["url"]
    for _ in range(3):
        assert httpx.get(f"{url}/api/jobs", trust_env=False).status_code == 401
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
