"""A server that may open no more files, and what it leaves on the machine: nothing that tells a secret."""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import Register
from tests.server.test_process import ready, started
from tests.serving import PASSPHRASE


def test_a_server_without_file_descriptors_goes_on_when_there_are_some_again(tmp_path: Path) -> None:
    process = started(tmp_path / "data", lambda argv: ["prlimit", "--nofile=80:80", *argv])
    said = ready(process)
    place = urlsplit(said["url"])
    with ExitStack() as stack:
        for _ in range(150):
            made = socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60)
            stack.callback(made.close)
            made.sendall(b"GET /healthz HTTP/1.1\r\n")
        time.sleep(1)  # so that it tries to take them
        assert process.poll() is None
    end = time.monotonic() + 60
    while not _answers(said["url"]):
        assert time.monotonic() < end
        time.sleep(0.1)
    wish = {"name": "ada", "passphrase": PASSPHRASE, "invite": said["setup_code"]}
    with FarmClient(said["url"]) as client:
        assert client.register(Register.model_validate(wish)).token
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=10, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_it_asks_for_many_files_and_for_no_crash_dumps(tmp_path: Path) -> None:
    process = started(tmp_path / "data", lambda argv: ["prlimit", "--nofile=300:2000", *argv])
    ready(process)
    its = psutil.Process(process.pid)
    assert its.rlimit(resource.RLIMIT_NOFILE)[0] == 2000
    assert its.rlimit(resource.RLIMIT_CORE)[0] == 0
    process.terminate()
    process.communicate(timeout=60)
