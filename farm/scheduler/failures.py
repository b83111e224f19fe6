"""What becomes of a frame or a slave after failures: pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from farm.scheduler.policy import Policy
from farm.words.clock import microseconds
from farm.words.states import FailureClass


@dataclass(frozen=True, slots=True)
class Try:
    """A failed attempt at a frame. `ended` in µs; `short`: bytes of memory that were too few, or 0."""

    slave: int
    fault: FailureClass
    ended: int
    short: int = 0


def hopeless(tries: Sequence[Try], fitting: Collection[int], policy: Policy) -> bool:
    """Tell whether a frame has failed for good.

    The job's fault: two slaves, or every live fitting one, failed it so. The slave's: after
    `attempts_limit` attempts. The farm's: after `farm_attempts_limit`.

    Args:
        tries: all its failed attempts since it was last queued.
        fitting: live slaves that could render it.
        policy: the limits.
    """
    blaming = {t.slave for t in tries if t.fault is FailureClass.JOB}
    if len(blaming) >= 2 or (blaming and blaming >= set(fitting)):
        return True
    return (
        _count(tries, FailureClass.SLAVE) >= policy.attempts_limit
        or _count(tries, FailureClass.FARM) >= policy.farm_attempts_limit
    )


def may_try(tries: Sequence[Try], slave: int, fitting: Collection[int], at: int, policy: Policy) -> bool:
    """Tell whether a slave may try a frame that failed before.

    After a failure by the farm's fault, everybody waits: 1 s, 2 s, 4 s and so on. A slave
    that failed it leaves it to those that did not, as long as there are any.
    """
    if slave not in fitting:
        return False
    farm = [t for t in tries if t.fault is FailureClass.FARM]
    if farm and at < max(t.ended for t in farm) + backoff(len(farm), policy):
        return False
    failed = {t.slave for t in tries if t.fault is not FailureClass.FARM}
    return slave not in failed or not set(fitting) - failed


def backoff(count: int, policy: Policy) -> int:
    """Return how long to wait after so many failures of the farm's fault, in µs."""
    return microseconds(min(2.0 ** min(count - 1, 20), policy.backoff_seconds))


def avoided(failures: int, policy: Policy) -> bool:
    """Tell whether a slave has failed so often in a job that others should render it."""
    return failures >= policy.avoid_after


def sick(owners: Collection[int]) -> bool:
    """Tell whether a slave is sick: since its last success it failed in jobs of two users, by its own fault."""
    return len(set(owners)) >= 2


def named(message: str, job: int, frame: int) -> str:
    """Return a failure's message so that it names frame and job, once."""
    message = message or "it failed."
    place = f"Frame {frame} of job {job}"
    known = re.search(rf"\b{place}\b", message, re.IGNORECASE)
    return message if known else f"{place}: {message}"


def _count(tries: Sequence[Try], fault: FailureClass) -> int:
    return sum(1 for t in tries if t.fault is fault)
