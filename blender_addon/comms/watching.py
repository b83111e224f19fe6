"""Watch this user's jobs and bring their pictures home, in threads: events say when to look, nothing polls."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any

from . import errands, failing
from .bringing import Bringing
from .errands import Errand
from .folders import user_folder
from .hashes import Hashes
from .link import Link
from .messages import Away, Failed, Failures, Jobs, Thumbnails
from .modesty import give_way
from .trouble import ODD, Stopped, Trouble, stranger

SHOWN = 30
"""Jobs in the list."""

SOON = 0.4
"""Seconds in which further events are gathered."""

LATE = 30.0
"""Seconds after which it looks even without an event."""

PICTURES = 5
"""The latest finished frames whose thumbnails are shown."""

RETRY = 3.0
"""Seconds before a server that is away is asked again."""

ENDED = ("done", "failed", "canceled")

Tell = Callable[[Any], None]


class Watcher:
    """Watch the jobs of one user on one server.

    Args:
        link: a link of the user's.
        user: whose jobs.
        tell: takes messages for the main thread.
        hashes: what is known of files.
    """

    def __init__(self, link: Link, user: str, tell: Tell, hashes: Hashes) -> None:
        self._shared = self._link = link
        self._user = user
        self._tell = tell
        self._hashes = hashes
        self._news = threading.Event()
        self._stop = threading.Event()
        self._errands: dict[int, Bringing] = {}
        self._done: dict[int, int] = {}
        self._failed: dict[int, int] = {}
        self._pictured: dict[int, int] = {}
        self._away = False
        self.shown = 0
        """The job whose thumbnails are wanted; 0: none."""

    def start(self) -> None:
        """Begin to watch."""
        for errand in errands.load(self._link.server):
            self.bring(errand)
        for work in (self._watch, self._listen):
            threading.Thread(target=work, name="distren-watch", daemon=True).start()

    def stop(self) -> None:
        """End it; its threads end by themselves."""
        self._stop.set()
        self._news.set()

    def look(self) -> None:
        """Look now."""
        self._news.set()

    def bring(self, errand: Errand) -> None:
        """Bring a job's pictures as they finish."""
        self._errands[errand.job] = Bringing(self._shared, errand, self._stop, self._hashes)
        self._done.pop(errand.job, None)
        self.look()

    def _watch(self) -> None:
        give_way()
        with self._shared.fresh() as self._link:
            self._keep_looking()

    def _keep_looking(self) -> None:
        while not self._stop.is_set():
            try:
                self._look()
                self._say_away(None)
                self._news.wait(LATE)
            except Stopped:
                return
            except ODD:
                self._say_away(stranger(self._link.server))
                self._stop.wait(LATE)
            except Trouble as trouble:
                self._say_away(trouble)
                if trouble.code == "unauthenticated":
                    return
                self._stop.wait(RETRY)
            self._stop.wait(SOON)
            self._news.clear()

    def _say_away(self, trouble: Trouble | None) -> None:
        if trouble is not None or self._away:
            self._tell(Away(trouble))
        self._away = trouble is not None

    def _look(self) -> None:
        self._news.clear()
        # Those that are asked for while the list is on its way wait for the next one: it may be older than they are.
        errands = list(self._errands)
        jobs = self._link.call("GET", "/api/jobs", owner=self._user, limit=SHOWN)["jobs"]
        self._tell(Jobs(jobs))
        views = {view["job"]: view for view in jobs}
        for job in errands:
            self._carry_out(job, views.get(job) or self._job(job))
        for view in jobs:
            self._name_failures(view)
        if self.shown in views:
            self._picture(views[self.shown])

    def _job(self, job: int) -> dict[str, Any] | None:
        """Return a job that is too old for the list; None if it was deleted."""
        try:
            view: dict[str, Any] = self._link.call("GET", f"/api/jobs/{job}")
        except Trouble as trouble:
            if trouble.code != "job_not_found":
                raise
            return None
        return view

    def _carry_out(self, job: int, view: dict[str, Any] | None) -> None:
        bringing = self._errands[job]
        if view is None:
            self._drop(job)
            return
        done, ended = view["counts"]["done"], view["state"] in ENDED
        if done == self._done.get(job) and not ended:
            return
        try:
            fetched = bringing.bring(ended=ended)
        except Trouble as trouble:
            if trouble.code not in ("disk", "unsafe"):
                raise
            # Nothing of the farm's: the artist has to do something, then to fetch again.
            self._errands.pop(job)
            self._tell(Failed(trouble))
            return
        self._done[job] = done
        self._tell(fetched)
        if ended:
            self._drop(job)

    def _drop(self, job: int) -> None:
        self._errands.pop(job, None)
        errands.forget(self._link.server, job)

    def _name_failures(self, view: dict[str, Any]) -> None:
        job, failed = view["job"], view["counts"]["failed"]
        if failed and failed != self._failed.get(job):
            page = self._link.call("GET", f"/api/jobs/{job}/frames", state="failed", limit=failing.LOOKED_AT)
            self._tell(Failures(job, failing.sentences(page["frames"])))
        self._failed[job] = failed

    def _picture(self, view: dict[str, Any]) -> None:
        job, done = view["job"], view["counts"]["done"]
        if not done or self._pictured.get(job) == done:
            return
        page = self._link.call("GET", f"/api/jobs/{job}/frames", state="done", limit=1000)
        frames = [row["frame"] for row in page["frames"][-PICTURES:]]
        found = {frame: path for frame in frames if (path := self._thumbnail(job, frame))}
        self._pictured[job] = done
        if found:
            self._tell(Thumbnails(job, found))

    def _thumbnail(self, job: int, frame: int) -> str:
        """Fetch a frame's thumbnail into a file, and return its path; empty: there is none."""
        path = os.path.join(user_folder("cache"), "thumbnails", f"{self._user}-{job}-{frame}.webp")
        try:
            data = self._link.get(f"/api/jobs/{job}/frames/{frame}/thumbnail")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as stream:
                stream.write(data)
        except OSError:
            return ""
        except Trouble as trouble:
            if trouble.passing:
                raise
            return ""  # frames of some kinds have none
        return path

    # --- the events' thread ---

    def _listen(self) -> None:
        while not self._stop.is_set():
            with (
                contextlib.suppress(Trouble),
                self._shared.stream("/api/events", {"Accept": "text/event-stream"}) as told,
            ):
                self._news.set()
                while not self._stop.is_set():
                    line = told.line()
                    if not line:
                        break
                    if line.startswith(b"data:"):
                        self._news.set()
            self._stop.wait(RETRY)
