"""A timeline as numbers that a template draws as SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from farm.jobs.timeline import Lane, Stretch, Timeline
from farm.words.clock import moment, seconds
from farm.words.states import AttemptState

WIDTH = 1000.0
"""Units across; a stretch is at least one of them wide, so that it can be seen."""

_LOOKS = {
    AttemptState.OPEN: "leased",
    AttemptState.WON: "done",
    AttemptState.FORMER: "done",
    AttemptState.LATE: "ready",
    AttemptState.FAILED: "failed",
}
"""The frame's state whose colour an attempt has; what came to nothing looks canceled."""


@dataclass(frozen=True, slots=True)
class Block:
    """A frame's rendering: its place `x` and `width` in units, how it went in a word, its length in seconds."""

    frame: int
    x: float
    width: float
    look: str
    word: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """One slot: its slave, its blocks, and the part of the time that it rendered, 0 to 1."""

    slave: str
    blocks: list[Block]
    busy: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Rows over one time, from `began` to `ended`; `busy` is all rows' together, 0 to 1."""

    rows: list[Row]
    began: datetime | None
    ended: datetime | None
    length: float
    busy: float
    left_out: bool

    @property
    def marks(self) -> Sequence[tuple[float, float]]:
        """Return the places of time marks and their seconds: round ones, at most ten."""
        step = next(one for one in _steps() if self.length / one <= 10)
        count = int(self.length / step)
        return [(n * step / self.length * WIDTH, n * step) for n in range(count + 1)]


def drawn(timeline: Timeline) -> Drawing:
    """Return a timeline as it is drawn."""
    whole = timeline.ended - timeline.began
    rows = [Row(lane.slave, _blocks(lane, timeline.began, whole), lane.busy / whole) for lane in timeline.lanes]
    return Drawing(
        rows, moment(timeline.began), moment(timeline.ended), seconds(whole), timeline.busy, timeline.left_out
    )


def _blocks(lane: Lane, began: int, whole: int) -> list[Block]:
    return [_block(one, began, WIDTH / whole) for one in lane.stretches]


def _block(one: Stretch, began: int, scale: float) -> Block:
    length = one.ended - one.began
    look = _LOOKS.get(one.state, "canceled")
    return Block(one.frame, (one.began - began) * scale, max(length * scale, 1), look, one.state, seconds(length))


def _steps() -> Sequence[float]:
    """Return round lengths of time in seconds, from a tenth of a second to years."""
    human = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
    return [0.1, 0.2, 0.5, 1, 2, 5, 10, *human, *(86400 * 2**n for n in range(1, 20))]
