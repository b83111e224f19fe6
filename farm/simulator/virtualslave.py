"""A pretend slave in virtual time: it says what a real one says, at the times at which it would."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from farm.files.store import Stored
from farm.jobs.results import record_all
from farm.jobs.unpack import Piece, Unpacked
from farm.package.results import OUTPUT
from farm.protocol.slaves import Failed, Finished, LeasedFrame, Orders
from farm.scheduler.policy import Policy
from farm.scheduler.slavecall import TakeReport
from farm.simulator.holding import Holding
from farm.simulator.manner import FAULTS, Manner
from farm.words.clock import SECOND, microseconds, seconds

Keep = Callable[[bytes, int], Stored]
"""Takes a picture's hash and size for stored."""

Span = Callable[[int], float]
"""Tells how many seconds a frame of a job takes on a slave of speed 1."""


@dataclass(slots=True)
class VirtualSlave:
    """One slot of a machine.

    Args:
        id: of its row.
        name: its name.
        speed: how much faster than others.
        manner: what it is like.
        dice: its chance.
        span: how long frames take.
        at: µs, when it acts next.
    """

    id: int
    name: str
    speed: float
    manner: Manner
    dice: Random
    span: Span
    at: int
    seq: int = 0
    heard: int = 0
    present: bool = True
    holding: Holding = field(init=False)
    jobs: dict[int, tuple[int, LeasedFrame]] = field(default_factory=dict)
    _ends: dict[int, tuple[int, str]] = field(default_factory=dict)
    _results: dict[int, Unpacked] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.holding = Holding(self.manner, lambda: seconds(self.at))

    def act(self) -> int:
        """Let time pass until `at`: end frames and begin others; return µs that it is gone for now, or 0."""
        while self._ends and (first := min((end, attempt) for attempt, (end, _) in self._ends.items()))[0] <= self.at:
            end, attempt = first
            fate = self._ends.pop(attempt)[1]
            took = max(0.0, seconds(end) - self.holding.running.pop(attempt))
            if fate == "dies":
                return self._die()
            self.holding.ended[attempt] = self._fails(attempt, took) if fate == "fails" else self._ok(attempt, took)
            self._begin(end)
            if fate == "late":
                return microseconds(self.manner.away)
        self._begin(self.at)
        return 0

    def call(self, policy: Policy, keep: Keep) -> TakeReport:
        """Return its report, as the command that takes it; the bytes of its results come with it, each time."""
        self.seq += 1
        report = self.holding.report(self.seq, 0, self.heard)
        inline = {one.attempt: self._results[one.attempt] for one in report.finished}
        for unpacked in inline.values():
            for piece in unpacked.pieces:
                keep(bytes.fromhex(piece.stored.sha256), piece.stored.size)
        first = partial(record_all, slave=self.id, unpacked=inline, at=self.at) if inline else None
        return TakeReport(self.id, report, self.at, policy, first)

    def obey(self, orders: Orders) -> None:
        """Do what the server says."""
        self.heard = self.seq
        self.holding.take(orders)
        for lease in orders.leases:
            self.jobs |= {frame.attempt: (lease.job, frame) for frame in lease.frames}
        self._ends = {attempt: end for attempt, end in self._ends.items() if attempt in self.holding.running}
        self._begin(self.at)
        held = {frame.attempt for frame in self.holding.queue} | self.holding.running.keys() | self.holding.ended.keys()
        self.jobs = {attempt: where for attempt, where in self.jobs.items() if attempt in held}
        self._results = {attempt: one for attempt, one in self._results.items() if attempt in self.holding.ended}

    def next(self, heartbeat: float) -> int:
        """Return when it speaks again, µs."""
        ends = [end for end, _ in self._ends.values()]
        return max(self.at + 1, min([*ends, self.at + microseconds(heartbeat)]))

    @property
    def idle(self) -> bool:
        """It has nothing to do."""
        return self.present and not self.holding.queue and not self.holding.running

    def log_in(self, at: int) -> None:
        """Begin anew, after it has logged in."""
        self.at, self.seq, self.heard, self.present = at, 0, 0, True

    def _begin(self, at: int) -> None:
        holding = self.holding
        while holding.queue and len(holding.running) < self.manner.slots:
            frame = holding.queue.popleft()
            fate = self.manner.fate(self.dice)
            whole = self.span(self.jobs[frame.attempt][0]) * self.dice.uniform(0.8, 1.2) / self.speed
            took = whole * (self.dice.random() if fate in {"dies", "fails"} else 1)
            holding.running[frame.attempt] = seconds(at)
            self._ends[frame.attempt] = at + max(1, round(took * SECOND)), fate

    def _die(self) -> int:
        self.holding.forget()
        for kept in (self._ends, self._results, self.jobs):
            kept.clear()
        self.present = False
        return microseconds(self.manner.away)

    def _fails(self, attempt: int, took: float) -> Failed:
        return Failed(
            attempt=attempt, failure_class=self.dice.choice(FAULTS), message="The renderer crashed.", seconds=took
        )

    def _ok(self, attempt: int, took: float) -> Finished:
        job, frame = self.jobs[attempt]
        digest, size = hashlib.sha256(f"{job}/{frame.number}/{attempt}".encode()), 1_000_000
        tar = Stored(hashlib.sha256(digest.digest()).hexdigest(), size)
        picture = Piece(OUTPUT, f"{frame.picture:04d}.png", Stored(digest.hexdigest(), size))
        self._results[attempt] = Unpacked(tar, (picture,))
        return Finished(attempt=attempt, sha256=tar.sha256, seconds=took, cpu_seconds=took * 0.98)
