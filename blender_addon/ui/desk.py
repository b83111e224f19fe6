"""What the add-on knows while Blender runs: fed by messages of threads, read by panels. Without bpy."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..comms import account, boosting, errands, messages, settling, unfinished
from ..comms.boosting import Boost
from ..comms.errands import Errand
from ..comms.hashes import Hashes
from ..comms.link import Link
from ..comms.nearby import Server
from ..comms.trouble import Trouble
from ..comms.unfinished import Half
from ..comms.watching import Watcher
from ..wishes import Finding, Wish
from .despatch import Despatch

CLOSING = 3.0
"""Seconds that a thread gets to end its half job when Blender is closed."""


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
        self.thumbnails: messages.Thumbnails | None = None
        self.trouble: Trouble | None = None
        self.away: Trouble | None = None
        self.said = ""
        self.despatch: Despatch | None = None
        self.findings: list[Finding] = []
        self.wish: Wish | None = None
        """What the findings are about, so that it can be sent anyway."""
        self.halves: list[Half] = []
        """Uploads that an earlier Blender left, which may go on."""
        self.sent: dict[str, Any] | None = None
        self.wanted: list[int] = []
        """The jobs that were sent last, as far as their files come home."""
        self.fresh = 0
        """A job that was just sent, to be chosen in the list; 0: none."""
        self.boost: Boost | None = None
        """The boost that the artist thinks about."""
        self.weighed: messages.Weighed | None = None
        """What the newest one that was asked about costs and gives."""
        self.weighing = False
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

    def run(self, work: Callable[[], Any], *, quiet: bool = False) -> threading.Thread:
        """Do something in a thread; what it returns, or its trouble, is a message.

        Args:
            work: it.
            quiet: what was said before stays.
        """

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

        if not quiet:
            self.trouble, self.said = None, ""
        self.busy += 1
        thread = threading.Thread(target=carry_out, name="distren", daemon=True)
        thread.start()
        return thread

    def use(self, link: Link) -> None:
        """Talk to this server from now on."""
        if self.link is None or (link.server, link.token) != (self.link.server, self.link.token):
            self.leave()
        self.link = link

    def send(self, despatch: Despatch) -> None:
        """Send a job, or go on with one that broke off."""
        assert self.link is not None
        self.despatch, self.findings, self.sent = despatch, [], None
        despatch.thread = self.run(despatch.go(self.link, self.user, self.inbox.put, self.hashes))

    def stop_sending(self) -> None:
        """Stop at once, and give up what broke off; what its thread still says goes past the artist."""
        despatch, self.despatch = self.despatch, None
        if despatch is None:
            return
        self.trouble, self.said = None, "Stopped."
        if not despatch.broken:
            despatch.halt()
        elif self.link is not None and despatch.sending and (note := despatch.sending.note):
            link = self.link
            self.run(lambda: settling.give_up(link, note), quiet=True)

    def settle(self) -> None:
        """Look after uploads that an earlier Blender, or this one, left."""
        link, user = self.link, self.user
        if link is not None and user and unfinished.any_left(link.server):
            self.run(lambda: settling.settle(link, user), quiet=True)

    def forget_half(self, half: Half) -> None:
        """End an upload that an earlier Blender left."""
        assert self.link is not None
        link = self.link
        self.halves = [one for one in self.halves if one.key != half.key]
        self.run(lambda: settling.forget(link, half))

    def send_half(self, half: Half) -> None:
        """Send the rest of an upload that an earlier Blender left."""
        self.halves = [one for one in self.halves if one.key != half.key]
        note = unfinished.take(half)
        if note is None:
            self.said = f"Another Blender has taken the upload of “{half.name}”."
            return
        parcel = replace(half.parcel, anyway=True)
        self.send(Despatch(parcel, half.scratch, Wish(), half.errand, note=note, resumed=True))

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

    def weigh(self, boost: Boost | None) -> None:
        """Think about a boost, and ask what it costs and gives: one question at a time. None: about none any more."""
        self.boost = boost
        if boost is None:
            self.weighed = None
        elif self.link is not None and not self.weighing:
            link, self.weighing = self.link, True
            self.run(lambda: boosting.weigh(link, boost))

    def close(self) -> None:
        """End all threads, since Blender or the add-on ends; a half job is ended if the farm answers soon."""
        despatch = self.despatch
        if despatch is not None and despatch.broken:
            despatch.leave()
        elif despatch is not None and despatch.thread is not None:
            despatch.halt()
            despatch.thread.join(CLOSING)
        self.despatch = None
        self.leave()

    def leave(self) -> None:
        """Be connected to nothing."""
        if self.watcher is not None:
            self.watcher.stop()
        self.watcher, self.user, self.methods, self.jobs, self.info = None, "", [], [], {}
        self.failures, self.fetched, self.thumbnails, self.away, self.halves = {}, {}, None, None, []
        self.boost = self.weighed = None

    def _unpack(self) -> None:
        if self.despatch is not None:
            self.despatch.unpack()
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
        self.settle()

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

    def _left(self, message: messages.Left) -> None:
        self.halves = message.halves
        if message.ended:
            named = ", ".join(f"“{name}”" for name in message.ended)
            self.said = f"The upload of {named} had broken off, and its copy is gone: it was ended. Send it again."

    def _despatched(self, told: messages.Despatched) -> None:
        if self.despatch is not None and told.despatch is self.despatch:
            _OF_DESPATCHES[type(told.message)](self, told.despatch, told.message)
        else:
            self._late(told.despatch, told.message)

    def _late(self, despatch: Despatch, message: Any) -> None:
        """Take what a thread says whose despatch the artist has stopped."""
        if isinstance(message, messages.Progress):
            return
        despatch.unpack()
        if isinstance(message, messages.Sent) and self.link is not None:
            link, jobs = self.link, message.jobs
            self.run(lambda: settling.stop(link, jobs), quiet=True)
            return
        if self.despatch is None:
            self.said = settling.stopped(message.ended if isinstance(message, messages.NotSent) else True)

    def _progress(self, despatch: Despatch, message: messages.Progress) -> None:
        despatch.progressed(message)

    def _objections(self, despatch: Despatch, message: messages.Objections) -> None:
        self._unpack()
        if despatch.resumed:
            text = " ".join([*message.problems, *message.unfit])
            self.trouble = Trouble(f"The rest of “{despatch.parcel.submission['name']}” can't be sent: {text}")
            return
        known = {finding.text: finding for finding in despatch.findings}
        told = [known.get(text) or Finding(text, "hard") for text in message.problems]
        unfit = [Finding(text, "unfit") for text in message.unfit]
        notes = [Finding(text, "note") for text in message.notes]
        self.findings, self.wish = [*told, *unfit, *notes], despatch.wish

    def _sent(self, despatch: Despatch, message: messages.Sent) -> None:
        self.sent, self.wanted = message.job, message.wanted
        self.fresh = message.wanted[0]
        self.said = _arrived(message)
        self._unpack()
        self.watch()
        if despatch.errand is not None:
            for job in message.wanted:
                self.fetch(replace(despatch.errand, job=job))
        if self.watcher is not None:
            self.watcher.look()

    def _not_sent(self, despatch: Despatch, message: messages.NotSent) -> None:
        self.trouble = message.trouble
        despatch.broken = message.again
        if not message.again:
            self._unpack()
        if message.trouble.code == "unauthenticated":
            self.leave()

    def _jobs(self, message: messages.Jobs) -> None:
        self.jobs = message.jobs

    def _failures(self, message: messages.Failures) -> None:
        self.failures[message.job] = message.messages

    def _fetched(self, message: messages.Fetched) -> None:
        self.fetched[message.job] = message

    def _thumbnails(self, message: messages.Thumbnails) -> None:
        self.thumbnails = message

    def _away(self, message: messages.Away) -> None:
        self.away = message.trouble
        if message.trouble is None:
            self.settle()
        if message.trouble is not None and message.trouble.code == "unauthenticated":
            self.trouble = message.trouble
            self.leave()

    def _done(self, message: messages.Done) -> None:
        self.said = message.said
        if self.watcher is not None:
            self.watcher.look()

    def _weighed(self, message: messages.Weighed) -> None:
        self.weighing = False
        if self.boost is not None and self.boost != message.boost:
            self.weigh(self.boost)  # it was changed meanwhile
            return
        self.trouble = message.trouble
        self.weighed = message if self.boost is not None and message.trouble is None else None

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
    messages.Left: Desk._left,
    messages.Despatched: Desk._despatched,
    messages.Jobs: Desk._jobs,
    messages.Failures: Desk._failures,
    messages.Fetched: Desk._fetched,
    messages.Thumbnails: Desk._thumbnails,
    messages.Away: Desk._away,
    messages.Done: Desk._done,
    messages.Failed: Desk._failed,
    messages.Weighed: Desk._weighed,
}

_OF_DESPATCHES: dict[type, Callable[[Desk, Despatch, Any], None]] = {
    messages.Progress: Desk._progress,
    messages.Objections: Desk._objections,
    messages.Sent: Desk._sent,
    messages.NotSent: Desk._not_sent,
}


def _arrived(message: messages.Sent) -> str:
    """Return what is said of jobs that are on the farm."""
    count = sum(message.job["counts"].values())
    frames = "1 frame" if count == 1 else f"{count} frames"
    if len(message.jobs) == 1:
        return f"Job {message.job['job']} with {frames} is on the farm."
    *before, last = map(str, message.jobs)
    return f"Jobs {', '.join(before)} and {last} are on the farm, each waits for the one before."


desk = Desk()
"""Blender has one artist, so there is one desk."""
