"""Uploads that Blender did not live to end: the next one goes on with them, or has them ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from blender_addon.comms import settling, unfinished
from blender_addon.comms.link import Link
from blender_addon.comms.messages import Sent
from blender_addon.comms.unfinished import Note
from blender_addon.ui.despatch import Despatch
from blender_addon.wishes import Wish
from farm.client.farmclient import FarmClient
from farm.protocol.accounts import Register
from tests.blender_addon.slowly import half, parcel
from tests.blender_addon.uploads import BREAK, SIZE, Noting, Seat, sent, until
from tests.serving import PASSPHRASE, serving


@dataclass(frozen=True)
class Ada:
    """A user of a server, and her client."""

    url: str
    token: str
    client: FarmClient


@pytest.fixture
def ada(tmp_path: Path) -> Iterator[Ada]:
    with serving(tmp_path / "data") as served:
        token = (
            served.client()
            .register(
                Register.model_validate({"name": "ada", "passphrase": PASSPHRASE, "invite": served.ready.setup_code})
            )
            .token
        )
        yield Ada(served.url, token, served.client(token))


def kill_a_blender(ada: Ada, shot: Path, sent: int = BREAK) -> None:
    """Kill one in the middle of an upload, after that many bytes; fewer than 0: before it knows the job's number."""
    words = [sys.executable, "-m", "tests.blender_addon.slowly", ada.url, ada.token, str(sent), str(shot), "ada"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as blender:
        assert blender.stdout is not None
        assert blender.stdout.readline() == "holding\n"
        assert settling.settle(Link(ada.url, ada.token), "ada").halves == [], "its Blender lives"
        blender.kill()
    assert ada.client.job(1).state == "receiving"


def test_the_same_scene_again_goes_on_with_the_job_of_a_killed_blender(ada: Ada, shot: Path) -> None:
    kill_a_blender(ada, shot)
    copied = shutil.copytree(shot.parent, shot.parent.with_name("again")) / shot.name
    link, again = Noting(ada.url, ada.token), parcel(str(copied), "second")
    last = sent(link, again, Note(half(link, again)))
    assert isinstance(last, Sent), last
    assert (last.job["job"], last.job["state"]) == (1, "queued")
    (start,) = link.starts
    assert start > 0
    assert settling.settle(link, "ada").halves == []


def test_a_scene_that_was_changed_takes_the_place_of_a_killed_blenders_job(ada: Ada, shot: Path) -> None:
    kill_a_blender(ada, shot)
    changed = shutil.copytree(shot.parent, shot.parent.with_name("again")) / shot.name
    changed.write_bytes(b"changed")
    link, again = Noting(ada.url, ada.token), parcel(str(changed), "second")
    last = sent(link, again, Note(half(link, again)))
    assert isinstance(last, Sent), last
    assert (last.job["job"], last.job["state"]) == (2, "queued")
    assert ada.client.job(1).state == "canceled"


def test_the_next_blender_sends_the_rest(ada: Ada, shot: Path, at_a_desk: Seat) -> None:
    kill_a_blender(ada, shot)
    desk = at_a_desk(Noting(ada.url, ada.token))
    desk.settle()
    until(desk, lambda: desk.halves)
    desk.send_half(desk.halves[0])
    until(desk, lambda: desk.sent)
    assert (desk.sent["job"], desk.sent["state"]) == (1, "queued")  # type: ignore[index]
    assert desk.link.starts[0] > 0  # type: ignore[union-attr]
    assert not unfinished.any_left(ada.url)


def test_the_next_blender_forgets_it(ada: Ada, shot: Path, at_a_desk: Seat) -> None:
    kill_a_blender(ada, shot)
    desk = at_a_desk(Noting(ada.url, ada.token))
    desk.settle()
    until(desk, lambda: desk.halves)
    desk.forget_half(desk.halves[0])
    until(desk, lambda: desk.said)
    assert desk.said == "The upload of “shot” is forgotten."
    assert ada.client.job(1).state == "canceled"
    assert not unfinished.any_left(ada.url)


def test_a_job_whose_number_a_killed_blender_never_heard_is_ended_too(ada: Ada, shot: Path, at_a_desk: Seat) -> None:
    kill_a_blender(ada, shot, -1)
    desk = at_a_desk(Noting(ada.url, ada.token))
    desk.settle()
    until(desk, lambda: desk.halves)
    assert desk.halves[0].jobs == ()
    desk.forget_half(desk.halves[0])
    until(desk, lambda: desk.said)
    assert ada.client.job(1).state == "canceled"
    assert not unfinished.any_left(ada.url)


def test_what_can_not_go_on_is_ended_and_said(ada: Ada, shot: Path, at_a_desk: Seat) -> None:
    kill_a_blender(ada, shot)
    shot.unlink()
    desk = at_a_desk(Noting(ada.url, ada.token))
    desk.settle()
    until(desk, lambda: desk.said)
    assert "“shot” had broken off, and its copy is gone" in desk.said
    assert desk.halves == []
    assert ada.client.job(1).state == "canceled"


def test_a_job_whose_files_changed_since_does_not_go_on(ada: Ada, shot: Path, at_a_desk: Seat) -> None:
    kill_a_blender(ada, shot)
    shot.write_bytes(os.urandom(SIZE))
    desk = at_a_desk(Noting(ada.url, ada.token))
    desk.settle()
    until(desk, lambda: desk.halves)
    desk.send_half(desk.halves[0])
    until(desk, lambda: desk.trouble)
    assert "Files changed since" in str(desk.trouble)
    assert ada.client.job(1).state == "canceled"


def test_closing_blender_in_an_upload_ends_its_job(ada: Ada, shot: Path, at_a_desk: Seat) -> None:
    held, closed = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        closed.wait(180)

    desk = at_a_desk(Noting(ada.url, ada.token, hold))
    desk.send(Despatch(parcel(str(shot), "first"), str(shot.parent / "copy"), Wish(), None))
    assert held.wait(180)
    threading.Timer(0.2, closed.set).start()
    desk.close()
    assert ada.client.job(1).state == "canceled"


def test_a_login_that_is_void_leaves_the_artist_logged_out_with_the_reason(
    ada: Ada, shot: Path, at_a_desk: Seat
) -> None:
    desk = at_a_desk(Noting(ada.url, ada.token, ada.client.logout))
    desk.send(Despatch(parcel(str(shot), "first"), str(shot.parent), Wish(), None))
    until(desk, lambda: desk.trouble)
    assert str(desk.trouble) == "Your login has ended. Log in again."
    assert not desk.connected
