"""What breaks while the add-on sends: Blender is killed, the server is. Nothing that has arrived travels again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from blender_addon.comms import sending
from blender_addon.comms.hashes import Hashes
from blender_addon.comms.link import Link
from blender_addon.comms.messages import NotSent, Sent
from blender_addon.comms.sending import Parcel, Sending
from tests.blender_addon.slowly import parcel
from tests.farm.farm import Farm

SIZE, BREAK = 12 * 1024 * 1024, 8 * 1024 * 1024


class Noting(Link):
    """A link that knows at which byte uploads began, and may do something in the middle of one."""

    def __init__(self, farm: Farm, middle: Any = None) -> None:
        super().__init__(farm.url, farm.token)
        self.starts: list[int] = []
        self.middle = middle

    def put(self, path: str, file: str, part: range, on_bytes: Any, stop: threading.Event) -> None:
        self.starts.append(part.start)
        passed = 0

        def watch(count: int) -> None:
            nonlocal passed
            passed += count
            if self.middle and passed > BREAK:
                act, self.middle = self.middle, None
                act()
            on_bytes(count)

        super().put(path, file, part, watch, stop)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (path := tmp_path / "shot.blend").write_bytes(os.urandom(SIZE))
    return path


def sent(link: Link, what: Parcel) -> Any:
    """Send; return the last message. Copies of a link share what it notes."""
    told: list[Any] = []
    Sending(link, what, told.append, threading.Event(), Hashes()).run()
    return told[-1]


def test_what_a_killed_blender_has_sent_does_not_travel_again(farm: Farm, file: Path) -> None:
    words = [sys.executable, "-m", "tests.blender_addon.slowly", farm.url, farm.token, str(BREAK), str(file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as blender:
        assert blender.stdout is not None
        assert blender.stdout.readline() == "holding\n"
        blender.kill()
    assert farm.client.job(1).state == "receiving"
    link = Noting(farm)
    last = sent(link, parcel(str(file), "second"))
    assert isinstance(last, Sent), last
    assert (last.job["job"], last.job["state"]) == (2, "queued")
    (start,) = link.starts
    assert start > 0


def test_a_server_that_is_killed_in_an_upload_gets_the_rest_when_it_is_back(
    farm: Farm, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PAUSE", 0.01)
    link = Noting(farm, farm.server.kill)
    last = sent(link, parcel(str(file), "first"))
    assert isinstance(last, NotSent)
    assert last.again
    assert "refused" in last.trouble.message or "broke off" in last.trouble.message
    farm.start_server()
    again = sent(link, parcel(str(file), "first"))
    assert isinstance(again, Sent), again
    assert (again.job["job"], again.job["state"]) == (1, "queued")
    assert farm.client.jobs().jobs[0].job == 1
    assert link.starts[-1] > 0
