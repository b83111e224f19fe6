"""Small charts as numbers that a template draws as SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from farm.protocol.jobs import FrameView

OUTLIER = 2.0
"""So many times the median, and a frame is named."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A frame's rendering time: `height` from 0 to 100, `seconds`, and whether it is far above the others."""

    frame: int
    seconds: float
    height: float
    outlier: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """Rendering times of frames; `median` and `highest` in seconds."""

    bars: Sequence[Bar]
    median: float
    highest: float

    @property
    def outliers(self) -> list[Bar]:
        """Return the frames that took far longer than the others."""
        return [bar for bar in self.bars if bar.outlier]


def bars(frames: Sequence[FrameView]) -> Bars | None:
    """Return the times of those frames that are rendered; None if it is too early for a chart."""
    timed = [(frame.frame, frame.seconds) for frame in frames if frame.seconds is not None]
    if len(timed) < 3:
        return None
    middle, highest = median(s for _, s in timed), max(s for _, s in timed)
    scale = 100 / (highest or 1)
    return Bars([Bar(n, s, max(s * scale, 1), s > OUTLIER * middle) for n, s in timed], middle, highest)
