"""What a slave's machine was busy with, as lines that a template draws as SVG. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from farm.protocol.slaves import Hardware
from farm.scheduler.samples import PLACES, STEP, Sampled

WIDTH, HEIGHT = 1000, 100
"""Units of a drawing: a day across, from nothing to all upwards."""

GAP = 3 * STEP
"""µs without a sample after which a line breaks off: the slave was away."""


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity over the last day.

    `now` and `most` are the newest and the highest value, `all` what there is of it (0: unknown); `pieces` are the
    points of unbroken lines, as `<polyline>` wants them.
    """

    name: str
    now: float
    most: float
    all: float
    pieces: Sequence[str]


def lines(samples: Sequence[Sampled], hardware: Hardware | None, at: int) -> list[Line]:
    """Return processors, memory, disk and cache over the last day.

    Args:
        samples: a slave's, oldest first.
        hardware: its machine.
        at: now, µs.
    """
    if not samples:
        return []
    memory = float(hardware.memory_bytes if hardware else 0)
    disk = float(samples[-1].disk)
    return [
        _line("Processors", samples, lambda one: one.cpu, 1, at),
        _line("Memory used", samples, lambda one: one.memory, memory, at),
        _line("Disk used", samples, lambda one: one.disk - one.free, disk, at),
        _line("Cache", samples, lambda one: one.cache, disk, at),
    ]


def _line(name: str, samples: Sequence[Sampled], value: Callable[[Sampled], float], whole: float, at: int) -> Line:
    values = [value(one) for one in samples]
    top = max(whole, max(values)) or 1
    pieces: list[list[str]] = []
    before: int | None = None
    for one, height in zip(samples, values, strict=True):
        if before is None or one.at - before > GAP:
            pieces.append([])
        before = one.at
        x = WIDTH * (1 - (at - one.at) / (PLACES * STEP))
        pieces[-1].append(f"{x:.1f},{HEIGHT * (1 - height / top):.1f}")
    return Line(name, values[-1], max(values), whole, [_seen(piece) for piece in pieces])


def _seen(points: list[str]) -> str:
    """Return the points of a piece; a single one is drawn as a short line, else nobody would see it."""
    if len(points) == 1:
        x, y = points[0].split(",")
        points = [f"{float(x) - 3:.1f},{y}", *points]
    return " ".join(points)
