"""When jobs would be done: the fair queue's own rules, run ahead over today's queue. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass

from farm.scheduler.fairness import Usage, charged, turns

GRAIN = 400
"""Steps of a run: a queue of more frames is run many frames at a time."""


@dataclass(slots=True)
class Load:
    """A job in the queue, and what is left of it.

    Args:
        number: the job's.
        owner: whose it is.
        priority: among the jobs of one user.
        queued: since when it waits, µs.
        frames: that are not done.
        span: µs that a frame takes on a slot.
        work: µs of work of a frame.
        boost: how much sooner.
        boosted: frames for which its points last.
        rush: an admin's word.
    """

    number: int
    owner: int
    priority: int
    queued: int
    frames: int
    span: float
    work: float
    boost: int = 0
    boosted: int = 0
    rush: int = 0


def ends(loads: Iterable[Load], usage: Usage, slots: int, at: int) -> dict[int, int]:
    """Return when each job would be done if nobody came, in µs after now.

    Args:
        loads: the queue.
        usage: what users and jobs have had.
        slots: that render.
        at: now, µs.
    """
    waiting = [deepcopy(load) for load in loads if load.frames > 0]
    had, done = deepcopy(usage), dict[int, int]()
    grain = max(1, sum(load.frames for load in waiting) // GRAIN)
    free = [0.0] * max(slots, 1)
    while waiting:
        now = heapq.heappop(free)
        load = turns(waiting, had, at + round(now))[0]
        count = min(grain, load.frames)
        end = now + load.span * count
        had.add(load.owner, load.number, recent=_charge(load, count), served=at + round(now))
        load.frames -= count
        done[load.number] = max(done.get(load.number, 0), round(end))
        heapq.heappush(free, end)
        waiting = [one for one in waiting if one.frames > 0]
    return done


def _charge(load: Load, count: int) -> float:
    paid = min(count, load.boosted)
    load.boosted -= paid
    return charged(load.work * paid, load.boost) + load.work * (count - paid)
