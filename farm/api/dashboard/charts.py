"""Small charts as numbers that a template draws as SVG. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from farm.protocol.lending import TradeDay

OUTLIER = 2.0
"""So many times the median, and a frame is named."""

FEWEST = 3
"""Frames that make a chart."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What was measured of a frame: `height` from 0 to 100, `value`, and whether it is far above the others."""

    frame: int
    value: float
    height: float
    outlier: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """What was measured of frames; `median` and `highest` in the values' unit."""

    bars: Sequence[Bar]
    median: float
    highest: float

    @property
    def outliers(self) -> list[Bar]:
        """Return the frames that are far above the others."""
        return [bar for bar in self.bars if bar.outlier]


def bars(values: Mapping[int, float]) -> Bars | None:
    """Return a chart of values by frame; None if it is too early for one."""
    if len(values) < FEWEST:
        return None
    middle, highest = median(values.values()), max(values.values())
    scale = 100 / (highest or 1)
    drawn = [Bar(n, one, max(one * scale, 1), one > OUTLIER * middle) for n, one in sorted(values.items())]
    return Bars(drawn, middle, highest)


@dataclass(frozen=True, slots=True)
class TradeBar:
    """One day between two servers; heights from 0 to 50: what was lent stands up, what was borrowed hangs down."""

    day: TradeDay
    up: float
    down: float


@dataclass(frozen=True, slots=True)
class Trade:
    """What servers rendered for each other, day by day; `highest` in minutes."""

    bars: Sequence[TradeBar]
    highest: float


def trade(days: Sequence[TradeDay]) -> Trade | None:
    """Return a chart of what was lent and borrowed; None if nothing was."""
    highest = max((max(day.lent_minutes, day.borrowed_minutes) for day in days), default=0)
    if not highest:
        return None
    drawn = [TradeBar(d, _height(d.lent_minutes, highest), _height(d.borrowed_minutes, highest)) for d in days]
    return Trade(drawn, highest)


def _height(minutes: float, highest: float) -> float:
    return max(50 * minutes / highest, 1) if minutes else 0
