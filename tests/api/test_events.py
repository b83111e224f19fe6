"""The event stream: resumes, filters, pings, ends."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from farm.api.events import endpoints
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import FarmEvent, JobCommand, Requirement, Submission
from tests.serving import Served, serving


def submit(client: FarmClient, frames: str = "1") -> int:
    job = client.submit(Submission(name="sleep", requires=Requirement(method="sleep"), frames=frames)).job
    client.queue(job)
    return job


class Listener:
    """A thread that reads a stream of events."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(response,), daemon=True)
        self._thread.start()

    def _read(self, response: httpx.Response) -> None:
        try:
            for line in response.iter_lines():
                self.lines.put(line)
        except (httpx.TransportError, httpx.StreamClosed):
            pass
        self.lines.put(None)

    def event(self) -> tuple[str, FarmEvent]:
        """Return the next event and its id."""
        place = ""
        while (line := self.lines.get(timeout=10)) is not None:
            if line.startswith("id: "):
                place = line[4:]
            if line.startswith("data: "):
                return place, FarmEvent.model_validate_json(line[6:])
        raise EOFError

    def until(self, **wanted: Any) -> tuple[str, FarmEvent]:
        """Return the first event with these members."""
        while True:
            place, event = self.event()
            if all(getattr(event, name) == value for name, value in wanted.items()):
                return place, event


@contextmanager
def listening(served: Served, client: FarmClient, **how: Any) -> Iterator[Listener]:
    headers = {"Authorization": client._http.headers["Authorization"], **how.pop("headers", {})}
    timeout = httpx.Timeout(10)
    url = f"{served.url}/api/events"
    with httpx.Client(trust_env=False) as http, http.stream("GET", url, headers=headers, timeout=timeout, **how) as got:
        assert got.status_code == 200
        assert got.headers["content-type"].startswith("text/event-stream")
        listener = Listener(got)
        assert (listener.lines.get(timeout=10) or "").startswith(": DistRen")
        yield listener


def test_what_happens_is_told_as_it_happens(served: Served, admin: FarmClient) -> None:
    with listening(served, admin) as heard:
        job = submit(admin)
        _, event = heard.until(kind="job", job=job)
        assert event.data.get("state") in {"receiving", "queued"}


def test_a_listener_goes_on_where_it_was(served: Served, admin: FarmClient) -> None:
    with listening(served, admin) as heard:
        submit(admin)
        place, _ = heard.until(kind="job", job=1)
    second = submit(admin)
    for how in ({"headers": {"Last-Event-ID": place}}, {"params": {"after": place}}):
        with listening(served, admin, **how) as heard:
            heard.until(kind="job", job=second)


def test_a_listener_hears_only_of_the_job_it_asks_for(served: Served, admin: FarmClient) -> None:
    first, second = submit(admin), submit(admin)
    with listening(served, admin, params={"job": second}) as heard:
        admin.command(first, "pause", JobCommand())
        admin.command(second, "pause", JobCommand())
        assert heard.event()[1].job == second


def test_strangers_hear_only_of_their_own(tmp_path: Path) -> None:
    with serving(tmp_path / "data", profile="open") as served:
        admin = served.admin()
        bob, eve = served.invited(admin, "bob"), served.invited(admin, "eve")
        with listening(served, eve) as heard, listening(served, admin) as all_heard:
            hers_not = submit(bob)
            hers = submit(eve)
            assert heard.until(kind="job")[1].job == hers
            assert all_heard.until(kind="job")[1].job == hers_not


def test_silence_is_filled_with_pings_and_ends_with_the_login(
    served: Served, admin: FarmClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "PING", 0.05)
    with listening(served, admin) as heard:
        lines = [heard.lines.get(timeout=10) for _ in range(6)]
        assert ": ping" in lines
        admin.logout()
        while heard.lines.get(timeout=10) is not None:
            pass


def test_streams_end_when_the_server_stops(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served, listening(served, served.admin()) as heard:
        served.process.stop()
        while heard.lines.get(timeout=10) is not None:
            pass
