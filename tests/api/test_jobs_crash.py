"""A server that is killed at the worst moments, and started again on what it left."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import LogIn, Register
from farm.protocol.jobs import FileEntry, Receiving, Requirement, Submission
from farm.words.states import JobState
from tests.jobs.pretend import tar_of
from tests.serving import PASSPHRASE, SlaveCaller

SERVER = """
import sys
from pathlib import Path
from farm.server.process import ServerProcess
from farm.words.settings import ServerSettings
settings = ServerSettings(data=Path(sys.argv[1]), host="127.0.0.1", port=0, free_space=0, name="home")
ServerProcess(settings, lambda ready: print("READY", ready.url, ready.setup_code or "-", flush=True)).run()
"""

DATA = os.urandom(3_000_000)
NAME = hashlib.sha256(DATA).hexdigest()
RESULT = tar_of(output_0001_png=b"a picture")


@contextmanager
def server(data: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run a server as a process of its own; it is killed at the end, and never asked to stop."""
    with (data.parent / "server.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(data)], stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if line.startswith("READY")), None)
        assert line, (data.parent / "server.log").read_text()
        _, url, code = line.split()
        yield process, url, code
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        process.stdout.close()


def client(url: str, code: str) -> FarmClient:
    facts = {"name": "ada", "passphrase": PASSPHRASE}
    with FarmClient(url) as stranger:
        if code != "-":
            granted = stranger.register(Register.model_validate({**facts, "invite": code}))
        else:
            granted = stranger.login(LogIn.model_validate(facts))
    return FarmClient(url, granted.token)


def submit(ada: FarmClient) -> Receiving:
    entry = FileEntry(path="big.bin", sha256=NAME, size=len(DATA))
    needs: dict[str, Any] = {"requires": Requirement(method="sleep"), "frames": "1", "files": [entry]}
    return ada.submit(Submission(name="nap", key="once", **needs))


def test_nothing_is_lost_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with server(data) as (process, url, code), client(url, code) as ada:
        assert submit(ada).missing == [NAME]

        def half() -> Iterator[bytes]:
            yield DATA[:2_000_000]
            process.send_signal(signal.SIGKILL)
            process.wait(30)
            yield DATA[2_000_000:]

        headers = {"Content-Length": str(len(DATA)), "Authorization": ada._http.headers["Authorization"]}
        with pytest.raises(httpx.TransportError):
            httpx.put(f"{url}/api/blobs/{NAME}", content=half(), headers=headers, trust_env=False)
    blobs = data / "storage" / "blobs"
    assert not list(blobs.glob("??/*")), "half a blob is none"
    for left in (blobs / "incoming").iterdir():
        os.utime(left, (0, 0))

    (tmp_path / "big").write_bytes(DATA)
    with server(data) as (_, url, code), client(url, code) as ada:
        assert not list((blobs / "incoming").iterdir())
        again = submit(ada)
        assert (again.job, again.missing) == (1, [NAME])
        ada.put_blob(tmp_path / "big", NAME, len(DATA))
        assert ada.queue(1).state == JobState.QUEUED
        key = ada.make_slave_key("ws01")
        slave = SlaveCaller(url, key.key, key.password)
        attempt = slave.orders(want=1).leases[0].frames[0].attempt
        assert slave.http.put(f"/api/slave/results/{attempt}", content=RESULT).status_code == 200
        slave.http.close()

    with server(data) as (_, url, code), client(url, code) as ada:
        token = slave.http.headers["Authorization"]
        sha256 = hashlib.sha256(RESULT).hexdigest()
        finished = {"attempt": attempt, "sha256": sha256, "seconds": 1}
        for seq in (10, 11):
            answer = httpx.post(
                f"{url}/api/slave/next",
                json={"seq": seq, "finished": [finished]},
                headers={"Authorization": token},
                trust_env=False,
            )
            assert [verdict["verdict"] for verdict in answer.json()["verdicts"]] == ["accepted"]
        job = ada.job(1)
        assert (job.state, job.counts.done, job.counts.total) == (JobState.DONE, 1, 1)
        assert [file.name for file in ada.output(1).files] == ["0001.png"]
    picture = data / "storage" / "stor" / "job1" / "output" / "0001.png"
    picture.unlink(missing_ok=True)
    with server(data) as (_, url, code), client(url, code) as ada:
        for _ in range(100):
            if picture.exists():
                break
            ada.me()
        assert picture.read_bytes() == b"a picture", "the admin's view is made again"
