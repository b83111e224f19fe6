"""Frame ranges as a person writes them: `1-250x2, 300`; the server reads them by the same rules.

Knows nothing of Blender. A test compares it with what the farm reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LIMIT = 1_000_000
"""The most frames that one job may have."""

HIGHEST = 1_048_574
"""The highest frame number that Blender knows."""

_SPAN = re.compile(r"(\d+)(?:-(\d+)(?:x(\d+))?)?")


class BadFrames(ValueError):
    """A text is no frame range; its message says why."""


def numbers(text: str) -> list[int]:
    """Return the frames that a text names, ascending.

    Raises:
        BadFrames: it is malformed, empty, backwards, or names too many.
    """
    spans = [_span(part.strip()) for part in text.split(",") if part.strip()]
    if not spans:
        raise BadFrames("The frame range is empty.")
    if sum(map(len, spans)) > LIMIT:
        raise BadFrames(f"These are more than {LIMIT:,} frames.")
    return sorted({number for span in spans for number in span})


def text(span: Iterable[int]) -> str:
    """Return frames as a text with steps: `1-9x2`; what has no step is listed in spans."""
    ascending = sorted(set(span))
    if len(ascending) > 2:
        step = ascending[1] - ascending[0]
        if ascending == list(range(ascending[0], ascending[-1] + 1, step)):
            return f"{ascending[0]}-{ascending[-1]}" + (f"x{step}" if step > 1 else "")
    return ",".join(_runs(ascending))


def _runs(ascending: list[int]) -> list[str]:
    runs: list[list[int]] = []
    for number in ascending:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in runs]


def _span(part: str) -> range:
    match = _SPAN.fullmatch(part)
    if not match:
        raise BadFrames(f"“{part[:40]}” is no frame range. Write for example 1-250x2, 300.")
    first, last, step = (int(group[:20]) if group else None for group in match.groups())
    assert first is not None
    last = first if last is None else last
    step = 1 if step is None else step
    if step < 1:
        raise BadFrames(f"“{part}” has the step 0.")
    if last < first:
        raise BadFrames(f"“{part}” runs backwards.")
    if last > HIGHEST:
        raise BadFrames(f"“{part[:40]}” goes beyond {HIGHEST:,}, the last frame that Blender knows.")
    return range(first, last + 1, step)
