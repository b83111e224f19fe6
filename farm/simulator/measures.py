"""How a farm treated its users: who waited how long, who starved, and how evenly it was shared. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from farm.simulator.virtual import Job
from farm.words.clock import SECOND

WINDOW = 3600 * SECOND
"""µs over which shares are compared."""


def jain(shares: Iterable[float]) -> float:
    """Return Jain's fairness index of shares: 1 if all are equal, 1/n if one has everything.

    R. Jain, D. Chiu, W. Hawe: A quantitative measure of fairness and discrimination (DEC-TR-301, 1984).
    """
    known = list(shares)
    squares = len(known) * sum(share * share for share in known)
    return sum(known) ** 2 / squares if squares else 1.0


@dataclass(slots=True)
class Treatment:
    """A witness of a simulation: what each user got, and while they wanted it."""

    gaps: Counter[int] = field(default_factory=Counter)
    _wants: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _since: dict[int, int] = field(default_factory=dict)
    _spans: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    _got: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _last: Counter[int] = field(default_factory=Counter)

    def came(self, job: Job) -> None:
        """Note that a user wants something."""
        self._since.setdefault(job.owner, job.queued)
        self._wants[job.owner][job.number] = job.frames

    def leased(self, job: Job, at: int, until: int) -> None:
        """Note that they get it."""
        user, wants = job.owner, self._wants[job.owner]
        self.gaps[user] = max(self.gaps[user], at - max(self._last[user], self._since[user]))
        self._last[user] = at
        self._share(user, at, until)
        wants[job.number] = job.frames
        if not job.frames:
            del wants[job.number]
            if not wants:
                self._spans[user].append((self._since.pop(user), at))

    def _share(self, user: int, at: int, until: int) -> None:
        while at < until:
            end = min(until, at - at % WINDOW + WINDOW)
            self._got[at // WINDOW][user] += end - at
            at = end

    def index(self) -> list[tuple[int, float]]:
        """Return Jain's index of each hour for those who wanted more all the while, where there are at least two."""
        wanting: dict[int, list[int]] = defaultdict(list)
        for user, spans in self._spans.items():
            for since, until in spans:
                for window in range(-(-since // WINDOW), until // WINDOW):
                    wanting[window].append(user)
        several = ((window, users) for window, users in sorted(wanting.items()) if len(users) > 1)
        return [(window, jain(self._got[window][user] for user in users)) for window, users in several]


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a user's jobs took.

    Args:
        jobs: how many.
        first: µs to the first frame's begin, median.
        worst: the same of the worst.
        whole: µs to the end of the last frame, median.
        gap: the longest time, in µs, that they wanted slots and got none.
    """

    jobs: int
    first: float
    worst: float
    whole: float
    gap: int


def waits(jobs: Sequence[Job], gaps: Counter[int]) -> dict[int, Waits]:
    """Return how long the jobs of each user took; all have ended."""
    of: dict[int, list[Job]] = defaultdict(list)
    for job in jobs:
        of[job.owner].append(job)
    return {user: _waits(mine, gaps[user]) for user, mine in sorted(of.items())}


def _waits(jobs: Sequence[Job], gap: int) -> Waits:
    firsts = [(job.began or 0) - job.queued for job in jobs]
    wholes = [(job.ended or 0) - job.queued for job in jobs]
    return Waits(len(jobs), median(firsts), max(firsts), median(wholes), gap)
