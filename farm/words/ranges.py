"""Frame ranges: `1-250x2,300`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Self

from farm.words.errors import BadFrameRange

LIMIT = 1_000_000
"""The most frames that one job may have."""

HIGHEST = 1_048_574
"""The highest frame number that Blender knows (MAXFRAME in its source)."""

NUMBERS = 10**10
"""The highest number of a job's frame; where a job has sets, it is not the renderer's."""

_SPAN = re.compile(r"(\d+)(?:-(\d+)(?:x(\d+))?)?")
_HINT = "Write for example 1-250, 1-250x2 or 1-100,150,200-220."


@dataclass(frozen=True, slots=True)
class FrameRange:
    """A set of frame numbers, held as ascending spans with a step.

    Equal sets are equal objects, since spans are made from the sorted numbers.
    """

    spans: tuple[range, ...]

    @classmethod
    def parse(cls, text: str, limit: int = LIMIT, highest: int = NUMBERS) -> Self:
        """Read a frame range.

        Args:
            text: numbers and spans `first-last` or `first-lastxstep`, with commas between.
            limit: the most frames that are accepted.
            highest: the highest number that is accepted.

        Raises:
            BadFrameRange: malformed, empty, backwards, or more frames than the limit.
        """
        parts = [p.strip() for p in text.split(",") if p.strip()]
        if not parts:
            raise BadFrameRange("The frame range is empty.", hint=_HINT)
        spans = [_span(p, highest) for p in parts]
        if sum(map(len, spans)) > limit:
            count = sum(map(len, spans))
            raise BadFrameRange(f"“{text[:40]}” are {count:,} frames; the limit is {limit:,}.", hint="Split the job.")
        if len(spans) == 1 and spans[0].step == 1:
            return cls((spans[0],))  # most are so, and a long one need not be counted out
        return cls.of(n for span in spans for n in span)

    @classmethod
    def pictures(cls, text: str, limit: int = LIMIT) -> Self:
        """Read a range of the renderer's own frames.

        Raises:
            BadFrameRange: as for :meth:`parse`, or beyond the last frame that Blender knows.
        """
        return cls.parse(text, limit, HIGHEST)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Self:
        """Return the range that holds exactly these numbers."""
        return cls(tuple(_spans(sorted(set(numbers)))))

    def __iter__(self) -> Iterator[int]:
        for span in self.spans:
            yield from span

    def __len__(self) -> int:
        return sum(map(len, self.spans))

    def __contains__(self, number: object) -> bool:
        return any(number in span for span in self.spans)

    def __str__(self) -> str:
        return ",".join(map(_text, self.spans))

    def shifted(self, by: int) -> FrameRange:
        """Return the range with a number added to each of its numbers."""
        return FrameRange(tuple(range(s.start + by, s.stop + by, s.step) for s in self.spans)) if by else self

    def between(self, first: int, last: int | None) -> FrameRange:
        """Return the part from one number to another, both included; None: to the end."""
        end = self.last if last is None else last
        return FrameRange(tuple(part for span in self.spans if (part := _part(span, first, end))))

    def minus(self, other: FrameRange) -> FrameRange:
        """Return the numbers that are not in another range."""
        cut = self._plain(other)
        if cut is None:
            return FrameRange.of(set(self).difference(other)) if self and other else self
        (low, high), (first, last) = cut
        parts = (range(low, min(high, first - 1) + 1), range(max(low, last + 1), high + 1))
        return FrameRange(tuple(part for part in parts if part))

    def common(self, other: FrameRange) -> FrameRange:
        """Return the numbers that are in both ranges."""
        cut = self._plain(other)
        if cut is None:
            return FrameRange.of(set(self).intersection(other)) if self and other else FrameRange(())
        both = range(max(cut[0][0], cut[1][0]), min(cut[0][1], cut[1][1]) + 1)
        return FrameRange((both,) if both else ())

    def _plain(self, other: FrameRange) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return the ends of both, if each is one span without a step: long ones need not be counted out."""
        if any(len(one.spans) != 1 or one.spans[0].step != 1 for one in (self, other)):
            return None
        return (self.first, self.last), (other.first, other.last)

    @property
    def first(self) -> int:
        """The lowest number."""
        return self.spans[0][0]

    @property
    def last(self) -> int:
        """The highest number."""
        return max(span[-1] for span in self.spans)

    def probes(self) -> tuple[int, ...]:
        """Return the first, middle and last number: they show problems early."""
        numbers = list(self)
        return tuple(sorted({numbers[0], numbers[len(numbers) // 2], numbers[-1]}))


class Places:
    """Where numbers stand in a range, found by bisection: a range may have thousands of spans."""

    def __init__(self, whole: FrameRange) -> None:
        self.whole = whole
        self._spans = whole.spans
        self._firsts = [span[0] for span in self._spans]
        self._before = list(accumulate((len(span) for span in self._spans), initial=0))

    def __len__(self) -> int:
        return self._before[-1]

    def __contains__(self, number: int) -> bool:
        return self.of(number) is not None

    def of(self, number: int) -> int | None:
        """Return how many numbers of the range come before one of it; None: it is not in it."""
        at = bisect_right(self._firsts, number) - 1
        if at < 0 or number not in self._spans[at]:
            return None
        return self._before[at] + self._spans[at].index(number)

    def at(self, place: int) -> int:
        """Return the number at a place, which counts from 0."""
        span = bisect_right(self._before, place) - 1
        return self._spans[span][place - self._before[span]]


@lru_cache(maxsize=65_536)
def places(text: str) -> Places:
    """Return the places of a range that was written here before; '' has none."""
    return Places(FrameRange.parse(text) if text else FrameRange(()))


def count_of(text: str) -> int:
    """Return how many frames a range has, without listing them; its spans must not overlap, as written here."""
    total = 0
    for span in text.split(","):
        ends, _, step = span.partition("x")
        first, _, last = ends.partition("-")
        total += len(range(int(first), int(last or first) + 1, int(step or 1)))
    return total


def _part(span: range, first: int, last: int) -> range:
    """Return the part of a span from one number to another, without looking at all of it."""
    begin = span[0] + max(0, -((span[0] - first) // span.step)) * span.step
    return range(begin, min(span[-1], last) + 1, span.step)


def _span(text: str, highest: int) -> range:
    match = _SPAN.fullmatch(text)
    if not match:
        raise BadFrameRange(f"“{text[:40]}” is no frame range.", hint=_HINT)
    first, last, step = (int(g[:20]) if g else None for g in match.groups())
    assert first is not None
    last = first if last is None else last
    step = 1 if step is None else step
    if step < 1:
        raise BadFrameRange(f"“{text[:40]}” has the step 0.", hint=_HINT)
    if last < first:
        raise BadFrameRange(f"“{text[:40]}” runs backwards.", hint=f"Did you mean {last}-{first}?")
    if last > highest:
        known = ", the last frame that Blender knows" if highest == HIGHEST else ", the highest number of a frame"
        raise BadFrameRange(f"“{text[:40]}” goes beyond {highest:,}{known}.")
    return range(first, last + 1, step)


def _spans(numbers: list[int]) -> Iterator[range]:
    """Cut ascending numbers into the longest runs with one step."""
    at = 0
    if numbers and numbers[-1] - numbers[0] == len(numbers) - 1:
        yield range(numbers[0], numbers[-1] + 1)
        return
    while at < len(numbers):
        end = at + 1
        step = numbers[end] - numbers[at] if end < len(numbers) else 1
        while end < len(numbers) and numbers[end] - numbers[end - 1] == step:
            end += 1
        if end - at == 2 and step > 1:
            end = at + 1
        if end - at == 1:
            step = 1
        yield range(numbers[at], numbers[end - 1] + 1, step)
        at = end


def _text(span: range) -> str:
    if len(span) == 1:
        return str(span[0])
    step = f"x{span.step}" if span.step > 1 else ""
    return f"{span[0]}-{span[-1]}{step}"
