"""Bring all jobs' files home as frames finish, for ever: `fetch --follow`, as people run it in a service.

What was brought is noted in the folder, so that a start after a crash, of either side, brings what is missing and
nothing twice. Nothing is overwritten: a file that differs is kept in a folder `former`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

from farm.cli.bringhome import BringHome
from farm.client.farmclient import FarmClient
from farm.client.patience import Backoff
from farm.protocol.jobs import FarmEvent, JobView, OutputFile
from farm.words.errors import DistrenError, NotFound, Unavailable, Unreachable
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ENDED, JobState

LEDGER = ".distren-fetched.json"
"""In the folder: which jobs are wholly here."""

ROUND = 60.0
"""Seconds between two looks at all jobs: events that were missed, as while a connection is made, cost no more."""

PAGE = 500

OnFetched = Callable[[JobView, list[OutputFile]], None]
"""Is told of files that were brought."""


class Homeward:
    """Follow the farm and bring files.

    Args:
        client: a logged-in client.
        folder: where the jobs' folders are made.
        owner: whose jobs; None: all that may be seen.
        on_fetched: is told of what came.
        say: tells people of what goes wrong.
    """

    def __init__(
        self, client: FarmClient, folder: Path, owner: str | None, on_fetched: OnFetched, say: Callable[[str], None]
    ) -> None:
        self._client = client
        self._folder = folder
        self._owner = owner
        self._on_fetched = on_fetched
        self._say = say
        self._ledger = _read(folder / LEDGER)
        self._homes: dict[int, BringHome] = {}
        self._news = threading.Event()
        self._changed: dict[int, set[int]] = {}
        self._lock = threading.Lock()

    def run(self) -> None:
        """Bring files until interrupted.

        Raises:
            DistrenError: the server's word, e.g. that the login is void, or the disk here is full.
        """
        threading.Thread(target=self._listen, name="events", daemon=True).start()
        backoff, last, away = Backoff(), 0.0, False
        while True:
            try:
                if time.monotonic() - last > ROUND or not last:
                    self._all()
                    last = time.monotonic()
                self._some()
            except (Unavailable, Unreachable) as error:
                if not away:
                    self._say(f"{error.message} Waiting for it.")
                away, last = True, 0.0
                time.sleep(backoff.next())
            else:
                away = False
                backoff.reset()
                self._news.wait(ROUND)

    def _all(self) -> None:
        """Look at all jobs, the oldest first."""
        views, after = [], None
        while True:
            page = self._client.jobs(owner=self._owner, after=after, limit=PAGE)
            views += page.jobs
            after = page.next
            if after is None:
                break
        for view in reversed(views):
            self._bring(view)

    def _some(self) -> None:
        """Look at the jobs of which something was heard."""
        self._news.clear()
        with self._lock:
            changed, self._changed = self._changed, {}
        for job, frames in sorted(changed.items()):
            try:
                view = self._client.job(job)
                if self._owner in (None, view.owner):
                    self._bring(view, frames)
            except NotFound:
                continue

    def _bring(self, view: JobView, frames: Collection[int] = ()) -> None:
        """Bring a job's files: those of some frames that have just finished, if all before them are here, else all."""
        mark = f"{view.state} {view.counts.done} {view.ended}"
        if view.state is JobState.DELETED or not view.counts.done or self._ledger.get(str(view.job)) == mark:
            return
        known = self._homes.pop(view.job, None)
        home = known or BringHome(self._client, view.job, self._folder / f"job{view.job}", keep=True)
        before = len(home.haul.fetched)
        if known and frames and view.state not in JOB_ENDED:
            home.some(FrameRange.of(frames))
        else:
            home.all()
        if len(home.haul.fetched) > before:
            self._on_fetched(view, home.haul.fetched[before:])
        if view.state not in JOB_ENDED:
            # Only now: what broke off is looked at as a whole again.
            self._homes[view.job] = home
        else:
            self._ledger[str(view.job)] = mark
            _write(self._folder / LEDGER, self._ledger)

    # --- the events' thread ---

    def _listen(self) -> None:
        while True:
            try:
                for event in self._client.events():
                    self._take(event)
            except (DistrenError, RuntimeError):
                # The rounds see what is missed meanwhile. (httpx raises RuntimeError once its client is closed.)
                time.sleep(1)

    def _take(self, event: FarmEvent) -> None:
        done = event.data.get("ranges", {}).get("done") if event.kind == "frames" else None
        if event.job is not None and (done or event.kind == "job"):
            with self._lock:
                self._changed.setdefault(event.job, set()).update(FrameRange.parse(str(done)) if done else ())
            self._news.set()


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(job): str(mark) for job, mark in found.items()} if isinstance(found, dict) else {}


def _write(path: Path, ledger: dict[str, str]) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(ledger), encoding="utf-8")
    part.replace(path)
