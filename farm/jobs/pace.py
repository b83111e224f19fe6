"""How fast a job goes, and when it will be done. Pure, but for counting what was done lately."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from farm.database.schema import events
from farm.protocol.jobs import Counts
from farm.words.clock import SECOND, seconds
from farm.words.ranges import FrameRange
from farm.words.states import FrameState

WINDOW = 60 * SECOND
"""µs over which frames per second are measured."""

ENOUGH = 3
"""Frames in the window from which on the measurement is believed; below, an estimate is better."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A job's speed; None where nothing is known yet. Times in seconds."""

    per_frame: float | None
    per_second: float
    left: float | None


def pace(counts: Counts, rendered: int, spent: int, recent: int, window: int) -> Pace:
    """Return how fast a job goes.

    Args:
        counts: its frames by state.
        rendered: frames whose rendering was measured.
        spent: their rendering together, µs.
        recent: frames that were done in the window.
        window: its length, µs; shorter for a job that has just begun.
    """
    each = seconds(spent) / rendered if rendered else None
    measured = recent / seconds(window) if recent >= ENOUGH and window > 0 else 0.0
    rate = measured or (counts.leased / each if each else 0.0)
    open_frames = counts.blocked + counts.ready + counts.leased
    left = 0.0 if not open_frames else (open_frames / rate if rate else None)
    return Pace(each, rate, left)


def done_lately(conn: Connection, jobs: Collection[int], at: int) -> dict[int, int]:
    """Return how many frames of each job were done in the window before now, from the event log."""
    counts: dict[int, int] = {}
    query = select(events.c.job, events.c.data).where(
        events.c.at > at - WINDOW, events.c.at <= at, events.c.kind == "frames", events.c.job.in_(jobs)
    )
    for job, data in conn.execute(query):
        done = json.loads(data).get("ranges", {}).get(FrameState.DONE)
        if done:
            counts[job] = counts.get(job, 0) + len(FrameRange.parse(done))
    return counts
