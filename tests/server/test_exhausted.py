"""A server that may open no more files or gets no more memory, and what it leaves on the machine: no secrets."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import Register
from tests.api.test_full_disk import sound
from tests.api.test_jobs import sleeping
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


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("more", [30_000_000, 60_000_000, 90_000_000])
def test_a_server_at_its_bound_of_memory_refuses_and_loses_nothing(tmp_path: Path, more: int) -> None:
    """It lives, unless what is written in Rust lacks memory: that ends it, and its service starts it again.

    `more`: bytes that it gets beyond what it has when it idles.
    """
    process = started(tmp_path / "data")
    said = ready(process)
    wish = {"name": "ada", "passphrase": PASSPHRASE, "invite": said["setup_code"]}
    with FarmClient(said["url"]) as client:
        token = client.register(Register.model_validate(wish)).token
    its = psutil.Process(process.pid)
    its.rlimit(resource.RLIMIT_AS, (its.memory_info().vms + more, resource.RLIM_INFINITY))
    with ThreadPoolExecutor(12) as many:
        answers = Counter(many.map(partial(_submitted, said["url"], token), range(24)))
    if process.poll() is None:
        its.rlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGABRT
        process = started(tmp_path / "data")
        said = ready(process)
    assert set(answers) <= {0, 201, 503}, answers
    assert answers[503] + answers[0], "its memory did not suffice for all"
    with FarmClient(said["url"], token) as ada:
        assert answers[201] <= len(ada.jobs(limit=100).jobs) <= answers[201] + answers[0]
        assert ada.submit(sleeping(frames="1-3")).job
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert sound(tmp_path / "data", f"sqlite:///{tmp_path / 'data' / 'distren.sqlite3'}") == []


def _submitted(url: str, token: str, number: int) -> int:
    """Send a job of very many files; return the answer's status, 0 if the connection broke."""
    files = [{"path": f"{number}/{n}", "sha256": f"{n:064x}", "size": 0} for n in range(20_000)]
    body = {"name": "large", "requires": {"method": "sleep"}, "frames": "1-3", "files": files}
    headers = {"Authorization": f"Bearer {token}"}
    with contextlib.suppress(httpx.TransportError):
        return httpx.post(f"{url}/api/jobs", json=body, headers=headers, timeout=300, trust_env=False).status_code
    return 0
