"""A job on its way, as the panel shows it. Without bpy."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..comms import messages
from ..comms.errands import Errand
from ..comms.hashes import Hashes
from ..comms.link import Link
from ..comms.parcel import Parcel
from ..comms.sending import Sending
from ..comms.unfinished import Half, Note
from ..wishes import Finding, Wish


@dataclass(eq=False)
class Despatch:
    """A job on its way: the parcel, the folder with the copy, the wish behind it, and how far it is.

    `errand`: where its pictures go, without a job's number yet; None: they stay on the farm.
    `note`: of one that an earlier Blender left.
    """

    parcel: Parcel
    scratch: str
    wish: Wish
    errand: Errand | None
    note: Note | None = None
    resumed: bool = False
    stage: str = "Asking the farm"
    done: int = 0
    total: int = 0
    since: float = field(default_factory=time.monotonic)
    broken: bool = False
    findings: list[Finding] = field(default_factory=list)
    sending: Sending | None = None
    thread: threading.Thread | None = None

    def go(self, link: Link, user: str, tell: Callable[[Any], None], hashes: Hashes) -> Callable[[], None]:
        """Return what a thread has to do, now or once more."""
        note = self.sending.note if self.sending else self.note
        half = Half(link.server, user, self.parcel, self.scratch, self.errand)
        parcel = note.half.parcel if note else self.parcel
        self.broken = False
        self.sending = Sending(link, parcel, self._telling(tell), threading.Event(), hashes, note or Note(half))
        return self.sending.run

    def _telling(self, tell: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda message: tell(messages.Despatched(self, message))

    def halt(self) -> None:
        """Stop at once; its thread ends by itself."""
        if self.sending is not None:
            self.sending.halt()

    def leave(self) -> None:
        """Leave what broke off to the next Blender."""
        if self.sending is not None and self.sending.note is not None:
            self.sending.note.leave()

    def unpack(self) -> None:
        """Throw the copy away."""
        shutil.rmtree(self.scratch, ignore_errors=True)

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
    return f"{brief(seconds)} left"


def brief(seconds: float) -> str:
    """Return a time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
