"""What the add-on knows while Blender runs: fed by messages of threads, read by panels. Without bpy."""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..comms import account, errands, messages
from ..comms.bringing import Errand
from ..comms.hashes import Hashes
from ..comms.link import Link
from ..comms.nearby import Server
from ..comms.sending import Parcel, Sending
from ..comms.trouble import Trouble
from ..comms.watching import Watcher
from ..wishes import Finding, Wish


@dataclass
class Despatch:
    """A job on its way: the parcel, the wish behind it, where its pictures go, and how far it is."""

    parcel: Parcel
    scratch: str
    wish: Wish
    errand: Callable[[int], Errand | None]
    stop: threading.Event = field(default_factory=threading.Event)
    stage: str = "Asking the farm"
    done: int = 0
    total: int = 0
    since: float = field(default_factory=time.monotonic)
    broken: bool = False
    findings: list[Finding] = field(default_factory=list)

    def progressed(self, message: messages.Progress) -> None:
        """Note how far it is."""
        if message.stage != self.stage:
            self.stage, self.since = message.stage, time.monotonic()
        self.done, self.total = message.done, message.total

    @property
    def share(self) -> float:
        """What part of this stage is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def status(self) -> str:
        """Stage, speed and time left, in words."""
        seconds = time.monotonic() - self.since
        if not self.total or not self.done or seconds < 0.2:
            return f"{self.stage} …"
        speed = self.done / seconds
        left = (self.total - self.done) / speed
        return (
            f"{self.stage}: {self.done / 1e6:,.0f} of {self.total / 1e6:,.0f} MB, {speed / 1e6:.0f} MB/s, {span(left)}"
        )


def span(seconds: float) -> str:
    """Return a time that is left, in words."""
    if seconds < 90:
        return f"{seconds:.0f} s left"
    return f"{seconds / 60:.0f} min left" if seconds < 5400 else f"{seconds / 3600:.1f} h left"


class Desk:
    """The one place where the add-on's state is."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.link: Link | None = None
        self.info: dict[str, Any] = {}
        self.user = ""
        self.methods: list[dict[str, Any]] = []
        self.nearby: list[Server] = []
        """Servers that were found on the local network."""
        self.jobs: list[dict[str, Any]] = []
        self.failures: dict[int, list[str]] = {}
        self.fetched: dict[int, messages.Fetched] = {}
        self.thumbnail: messages.Thumbnail | None = None
        self.trouble: Trouble | None = None
        self.away: Trouble | None = None
        self.said = ""
        self.despatch: Despatch | None = None
        self.findings: list[Finding] = []
        self.wish: Wish | None = None
        """What the findings are about, so that it can be sent anyway."""
        self.sent: dict[str, Any] | None = None
        self.fresh = 0
        """A job that was just sent, to be chosen in the list; 0: none."""
        self.watcher: Watcher | None = None
        self.errands: set[int] = set()
        """Jobs sent since Blender started whose pictures come home."""
        self.folders: dict[int, str] = {}
        """Where the pictures of jobs go."""
        self.hashes = Hashes()
        self.busy = 0
        """Threads whose last message has not come."""

    @property
    def connected(self) -> bool:
        """A server is there, and this user is logged in to it."""
        return bool(self.link and self.user)

    # --- what the artist asks for ---

    def run(self, work: Callable[[], Any]) -> None:
        """Do something in a thread; what it returns, or its trouble, is a message."""

        def carry_out() -> None:
            try:
                told = work()
                if told is not None:
                    self.inbox.put(told)
            except Trouble as trouble:
                self.inbox.put(messages.Failed(trouble))
            except Exception as error:  # noqa: BLE001  a thread's fault has to reach the artist, too
                text = f"The add-on has a fault: {type(error).__name__}: {error}."
                self.inbox.put(messages.Failed(Trouble(text, "Please report it.", "fault")))
            finally:
                self.inbox.put(messages.Ended())

        self.trouble, self.said = None, ""
        self.busy += 1
        threading.Thread(target=carry_out, name="distren", daemon=True).start()

    def use(self, link: Link) -> None:
        """Talk to this server from now on."""
        if self.link is None or (link.server, link.token) != (self.link.server, self.link.token):
            self.leave()
        self.link = link

    def send(self, despatch: Despatch) -> None:
        """Send a job, or go on with one that broke off."""
        assert self.link is not None
        despatch.broken, self.despatch, self.findings, self.sent = False, despatch, [], None
        despatch.stop.clear()
        sending = Sending(self.link, despatch.parcel, self.inbox.put, despatch.stop, self.hashes)
        self.run(sending.run)

    def stop_sending(self) -> None:
        """Stop at once; the thread says when it has."""
        if self.despatch is None:
            return
        if self.despatch.broken:
            self._unpack()
        else:
            self.despatch.stop.set()

    def watch(self) -> None:
        """Watch this user's jobs, if that is not done yet."""
        if self.watcher is None and self.link is not None and self.user:
            self.watcher = Watcher(self.link, self.user, self.inbox.put, self.hashes)
            self.watcher.start()

    def fetch(self, errand: Errand) -> None:
        """Bring a job's pictures home, also those to come."""
        self.trouble = None
        errands.note(errand)
        self.errands.add(errand.job)
        self.folders[errand.job] = errand.folder
        self.fetched.pop(errand.job, None)
        self.watch()
        if self.watcher is not None:
            self.watcher.bring(errand)

    def close(self) -> None:
        """End all threads, since Blender or the add-on ends."""
        if self.despatch is not None:
            self.despatch.stop.set()
            self._unpack()
        self.leave()

    def leave(self) -> None:
        """Be connected to nothing."""
        if self.watcher is not None:
            self.watcher.stop()
        self.watcher, self.user, self.methods, self.jobs, self.info = None, "", [], [], {}
        self.failures, self.fetched, self.thumbnail, self.away = {}, {}, None, None

    def _unpack(self) -> None:
        if self.despatch is not None:
            shutil.rmtree(self.despatch.scratch, ignore_errors=True)
            self.despatch = None

    # --- what threads tell ---

    def take_all(self) -> list[Any]:
        """Take what threads have told so far; return it."""
        taken = []
        with contextlib.suppress(queue.Empty):
            while True:
                message = self.inbox.get_nowait()
                self._take(message)
                taken.append(message)
        return taken

    def _take(self, message: Any) -> None:
        _TAKERS[type(message)](self, message)

    def _ended(self, _message: messages.Ended) -> None:
        self.busy -= 1

    def _connected(self, message: messages.Connected) -> None:
        self.info, self.user, self.methods = message.info, message.user, message.methods
        self.watch()

    def _logged_in(self, message: messages.LoggedIn) -> None:
        assert self.link is not None
        link = self.link.with_token(message.login.token)
        self.use(link)
        self.run(lambda: account.connect(link))

    def _logged_out(self, _message: messages.LoggedOut) -> None:
        if self.link is not None:
            self.use(self.link.with_token(""))
        self.said = "Logged out."

    def _nearby(self, message: messages.Nearby) -> None:
        self.nearby = message.servers
        count = len(message.servers)
        found = "1 server" if count == 1 else f"{count} servers"
        self.said = f"{found} found." if count else "No server announces itself on this network: type its address."

    def _progress(self, message: messages.Progress) -> None:
        if self.despatch is not None:
            self.despatch.progressed(message)

    def _objections(self, message: messages.Objections) -> None:
        if self.despatch is None:
            return
        known = {finding.text: finding for finding in self.despatch.findings}
        told = [known.get(text) or Finding(text, "hard") for text in message.problems]
        unfit = [Finding(text, "unfit") for text in message.unfit]
        notes = [Finding(text, "note") for text in message.notes]
        self.findings, self.wish = [*told, *unfit, *notes], self.despatch.wish
        self._unpack()

    def _sent(self, message: messages.Sent) -> None:
        despatch, self.sent = self.despatch, message.job
        errand = despatch.errand(message.job["job"]) if despatch else None
        count = sum(message.job["counts"].values())
        frames = "1 frame" if count == 1 else f"{count} frames"
        self.fresh = message.job["job"]
        self.said = f"Job {message.job['job']} with {frames} is on the farm."
        self._unpack()
        self.watch()
        if errand is not None:
            self.fetch(errand)
        if self.watcher is not None:
            self.watcher.look()

    def _not_sent(self, message: messages.NotSent) -> None:
        if message.trouble.code == "stopped":
            self.said = "Stopped: nothing is left on the farm."
        else:
            self.trouble = message.trouble
        if self.despatch is not None and message.again and not self.despatch.stop.is_set():
            self.despatch.broken = True
        else:
            self._unpack()

    def _jobs(self, message: messages.Jobs) -> None:
        self.jobs = message.jobs

    def _failures(self, message: messages.Failures) -> None:
        self.failures[message.job] = message.messages

    def _fetched(self, message: messages.Fetched) -> None:
        self.fetched[message.job] = message

    def _thumbnail(self, message: messages.Thumbnail) -> None:
        self.thumbnail = message

    def _away(self, message: messages.Away) -> None:
        self.away = message.trouble
        if message.trouble is not None and message.trouble.code == "unauthenticated":
            self.trouble = message.trouble
            self.leave()

    def _done(self, message: messages.Done) -> None:
        self.said = message.said
        if self.watcher is not None:
            self.watcher.look()

    def _failed(self, message: messages.Failed) -> None:
        self.trouble = message.trouble
        if self.despatch is not None and message.trouble.code == "fault":
            self._unpack()


_TAKERS: dict[type, Callable[[Desk, Any], None]] = {
    messages.Ended: Desk._ended,
    messages.Connected: Desk._connected,
    messages.LoggedIn: Desk._logged_in,
    messages.LoggedOut: Desk._logged_out,
    messages.Nearby: Desk._nearby,
    messages.Progress: Desk._progress,
    messages.Objections: Desk._objections,
    messages.Sent: Desk._sent,
    messages.NotSent: Desk._not_sent,
    messages.Jobs: Desk._jobs,
    messages.Failures: Desk._failures,
    messages.Fetched: Desk._fetched,
    messages.Thumbnail: Desk._thumbnail,
    messages.Away: Desk._away,
    messages.Done: Desk._done,
    messages.Failed: Desk._failed,
}

desk = Desk()
"""Blender has one artist, so there is one desk."""
