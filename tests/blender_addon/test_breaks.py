"""What breaks while the add-on sends: the server is killed, or freezes. Nothing that has arrived travels again."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from blender_addon.comms import link, settling, uploading
from blender_addon.comms.link import Link
from blender_addon.comms.messages import NotSent, Sent
from blender_addon.ui.despatch import Despatch
from blender_addon.wishes import Wish
from tests.blender_addon.slowly import parcel
from tests.blender_addon.uploads import SIZE, Noting, Seat, sent, until
from tests.cutting import cutting
from tests.farm.farm import Farm


def test_stopping_waits_for_no_frozen_server_and_ends_the_job_when_it_answers(
    farm: Farm, shot: Path, monkeypatch: pytest.MonkeyPatch, at_a_desk: Seat
) -> None:
    monkeypatch.setattr(link, "PATIENCE", 3600.0)
    monkeypatch.setattr(settling, "HURRY", 1.0)
    frozen = threading.Event()

    def freeze() -> None:
        farm.server.popen.send_signal(signal.SIGSTOP)
        frozen.set()

    desk = at_a_desk(Noting(farm.url, farm.token, freeze))
    try:
        desk.send(despatch := Despatch(parcel(str(shot), "first"), str(shot.parent / "copy"), Wish(), None))
        assert frozen.wait(180)
        desk.stop_sending()
        assert (desk.despatch, desk.said) == (None, "Stopped.")
        assert despatch.thread is not None
        despatch.thread.join(120)
        assert not despatch.thread.is_alive()
        until(desk, lambda: desk.said != "Stopped.")
        assert desk.said == "Stopped: the farm does not answer, and is told when it does."
    finally:
        farm.server.popen.send_signal(signal.SIGCONT)
    monkeypatch.setattr(settling, "HURRY", 120.0)
    desk.settle()
    until(desk, lambda: not desk.busy)
    assert farm.client.job(1).state == "canceled"


def test_giving_up_what_broke_off_ends_its_job(
    farm: Farm, shot: Path, monkeypatch: pytest.MonkeyPatch, at_a_desk: Seat
) -> None:
    monkeypatch.setattr(uploading, "PAUSE", 0.01)
    desk = at_a_desk(Noting(farm.url, farm.token, farm.server.kill))
    desk.send(despatch := Despatch(parcel(str(shot), "first"), str(shot.parent / "copy"), Wish(), None))
    until(desk, lambda: despatch.broken)
    farm.start_server()
    desk.stop_sending()
    until(desk, lambda: desk.said != "Stopped.")
    assert desk.said == "The upload of “shot” is forgotten."
    assert farm.client.job(1).state == "canceled"


def test_a_server_that_is_killed_in_an_upload_gets_the_rest_when_it_is_back(
    farm: Farm, shot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "PAUSE", 0.01)
    breaking = Noting(farm.url, farm.token, farm.server.kill)
    last = sent(breaking, parcel(str(shot), "first"))
    assert isinstance(last, NotSent)
    assert last.again
    assert "refused" in last.trouble.message or "broke off" in last.trouble.message
    farm.start_server()
    again = sent(breaking, parcel(str(shot), "first"))
    assert isinstance(again, Sent), again
    assert (again.job["job"], again.job["state"]) == (1, "queued")
    assert farm.client.jobs().jobs[0].job == 1
    assert breaking.starts[-1] > 0


def test_a_network_that_is_cut_in_an_upload_gets_the_rest_when_it_is_back(
    farm: Farm, shot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "PAUSE", 0.01)
    with cutting(farm.url) as relay:
        relay.cuts = [("up", SIZE // 12)] * 100
        link = Noting(relay.url, farm.token)
        last = sent(link, parcel(str(shot), "first"))
        assert isinstance(last, NotSent)
        assert last.again
        assert "broke off" in last.trouble.message
        assert farm.client.job(1).state == "receiving"
        relay.cuts = []
        again = sent(link, parcel(str(shot), "first"))
    assert isinstance(again, Sent), again
    assert (again.job["job"], again.job["state"]) == (1, "queued")
    assert link.starts[-1] > 0


class Behind(Noting):
    """A link through a proxy: while the server is away, that answers."""

    away = True

    def put(self, path: str, file: str, part: range, on_bytes: Any, stop: threading.Event) -> None:
        if self.away:
            raise self._problem(502, b"<html><h1>502 Bad Gateway</h1></html>")
        super().put(path, file, part, on_bytes, stop)


def test_a_server_that_restarts_behind_a_proxy_gets_the_rest_when_it_is_back(
    farm: Farm, shot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "PAUSE", 0.01)
    link = Behind(farm.url, farm.token)
    last = sent(link, parcel(str(shot), "first"))
    assert isinstance(last, NotSent)
    assert last.again
    assert "does not answer" in last.trouble.message
    assert farm.client.job(1).state == "receiving"
    link.away = False
    again = sent(link, parcel(str(shot), "first"))
    assert isinstance(again, Sent), again
    assert (again.job["job"], again.job["state"]) == (1, "queued")


class Newer(Link):
    """A link to a server that answers submissions in the words of a protocol that is not known here."""

    def call(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        heard = super().call(verb, path, body, **query)
        return {"submission": {"number": heard["job"]}} if (verb, path) == ("POST", "/api/jobs") else heard


def test_a_server_of_a_newer_protocol_is_told_from_ours_and_keeps_no_half_job(farm: Farm, shot: Path) -> None:
    last = sent(Newer(farm.url, farm.token), parcel(str(shot), "first"))
    assert isinstance(last, NotSent)
    assert "makes no sense here. Is this the address of a DistRen server of about this version" in str(last.trouble)
    assert (last.again, last.ended) == (False, True)
    assert farm.client.job(1).state == "canceled"
