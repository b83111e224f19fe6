"""Follow one job until it ends: progress, failed frames by name, and files as they finish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rich.progress import Progress, TaskID

from farm.cli.output import frame_progress, notice, span
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import FarmEvent, JobView
from farm.words.errors import BadFrameRange, DistrenError, JobFailed, Unavailable, Unreachable
from farm.words.ranges import FrameRange
from farm.words.states import JOB_ENDED, JobState, PauseReason

FRESH = 0.2
"""Seconds between two looks at a job in which something happens."""

STALE = 3.0
"""Seconds after which a job is looked at even if no event came."""

PATIENCE = 600.0
"""Seconds that a server may be away (restarted, updated) before following is given up."""

OnDone = Callable[[JobView, "FrameRange | None"], None]
"""Is told that frames have finished; None: perhaps some, look yourself."""


class Follower:
    """Follow a job.

    Args:
        client: a logged-in client.
        job: the job's number.
        quiet: show nothing.
        on_event: is given each event.
        on_done: is told of finished frames, and once more at the end.
    """

    def __init__(
        self,
        client: FarmClient,
        job: int,
        *,
        quiet: bool = False,
        on_event: Callable[[FarmEvent], None] | None = None,
        on_done: OnDone | None = None,
    ) -> None:
        self._client = client
        self._job = job
        self._quiet = quiet
        self._on_event = on_event
        self._on_done = on_done
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._finished: set[int] = set()
        self._missed = True
        self._over = threading.Event()
        self._named_failures: set[int] = set()
        self._said = ""

    def follow(self) -> JobView:
        """Follow the job until it ends, and return it as it is then.

        Raises:
            JobFailed: it ended, but not with all frames done, or is paused by its own fault.
            Unreachable: the server stayed away for longer than ten minutes.
        """
        threading.Thread(target=self._listen, name="events", daemon=True).start()
        try:
            with frame_progress(quiet=self._quiet) as progress:
                view = self._until_end(progress)
        finally:
            self._over.set()
        _judge(view, sorted(self._named_failures))
        return view

    def _until_end(self, progress: Progress) -> JobView:
        bar = progress.add_task(f"Job {self._job}", total=None, note="")
        while True:
            self._news.clear()
            view = self._look()
            self._draw(progress, bar, view)
            self._name_failures(view)
            if self._on_done:
                self._on_done(view, self._take_finished())
            if view.state in JOB_ENDED or _stuck(view):
                return view
            self._news.wait(STALE)
            time.sleep(FRESH)

    def _look(self) -> JobView:
        since = time.monotonic()
        while True:
            try:
                return self._client.job(self._job)
            except (Unreachable, Unavailable):
                if time.monotonic() - since > PATIENCE:
                    raise
                self._say("The server does not answer; waiting for it.")
                time.sleep(1)

    def _draw(self, progress: Progress, bar: TaskID, view: JobView) -> None:
        counts = view.counts
        note = []
        if view.frames_per_second and view.state not in JOB_ENDED:
            note.append(f"{view.frames_per_second:.2f} frames/s")
        if view.eta_seconds and view.state not in JOB_ENDED:
            note.append(f"{span(view.eta_seconds)} left")
        note += [f"{counts.failed} failed"] if counts.failed else []
        note += view.waiting[:1] if counts.ready and not counts.leased else []
        text = f"Job {view.job} {view.state}" + (f" ({view.pause_reason})" if view.pause_reason else "")
        total = counts.total or None
        progress.update(bar, description=text, total=total, completed=counts.done, note=", ".join(note))
        if view.state == JobState.PAUSED and view.pause_reason == PauseReason.APPROVAL:
            self._say(f"The first frames are done: look at them, then `distren approve {view.job}`.")

    def _name_failures(self, view: JobView) -> None:
        if view.counts.failed <= len(self._named_failures):
            return
        for frame in self._client.frames(self._job, state="failed", limit=100).frames:
            if frame.frame not in self._named_failures:
                self._named_failures.add(frame.frame)
                self._say(frame.message)

    def _say(self, text: str) -> None:
        if not self._quiet and text != self._said:
            self._said = text
            notice(text)

    # --- the events' thread ---

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                for event in self._client.events(job=self._job):
                    self._take(event)
                    if self._over.is_set():
                        return
            except (DistrenError, RuntimeError):
                # The follower looks at the job from time to time anyway. (httpx raises
                # RuntimeError when the client was closed because following is over.)
                self._missed = True
                self._over.wait(1)

    def _take(self, event: FarmEvent) -> None:
        if self._on_event:
            self._on_event(event)
        with self._lock:
            done = event.data.get("ranges", {}).get("done") if event.kind == "frames" else None
            try:
                self._finished.update(FrameRange.parse(str(done)) if done else ())
            except BadFrameRange:
                self._missed = True
            self._missed = self._missed or event.kind == "reset"
        self._news.set()

    def _take_finished(self) -> FrameRange | None:
        with self._lock:
            finished, missed = FrameRange.of(self._finished), self._missed
            self._finished, self._missed = set(), False
        return None if missed else finished


def _stuck(view: JobView) -> bool:
    """Tell whether a job waits for a person to mend it, so that waiting is in vain."""
    return view.state == JobState.PAUSED and view.pause_reason in (PauseReason.FAULT, PauseReason.QUOTA)


def _judge(view: JobView, failed: list[int]) -> None:
    if view.state == JobState.DONE:
        return
    which = f", {FrameRange.of(failed)} failed" if failed else ""
    text = f"Job {view.job} is {view.state}: {view.counts.done} of {view.counts.total} frames are done{which}."
    hint = f"`distren show {view.job}` says more; `distren retry {view.job}` tries again."
    if view.pause_reason:
        hint = f"Mend it, then `distren resume {view.job}`."
    raise JobFailed(f"{text} {view.message}".strip(), hint=hint, job=view.job)
