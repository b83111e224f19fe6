"""Whether frames of a job wait for each other in a circle. Pure, without recursion."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence

from farm.scheduler.rules import Shape
from farm.words.errors import CircularDependency
from farm.words.ranges import FrameRange, Places

_SHOWN = 12
"""Frames of a circle that its error names."""


class _Shape:
    """A shape whose numbers are found by their places."""

    def __init__(self, shape: Shape) -> None:
        self.frames, self.needs, self.each = Places(shape.frames), Places(shape.needs), shape.each
        self.fan = len(self.needs) // len(self.frames)
        self.left = len(self.needs)

    def freed(self, number: int) -> Iterable[int]:
        """Yield frames for which one thing less is in the way, now that one of the needed ones is done."""
        if self.each:
            place = self.needs.of(number)
            return () if place is None else (self.frames.at(place // self.fan),)
        self.left -= 1
        return () if self.left else self.frames.whole

    def needed(self, number: int) -> Iterable[int]:
        """Yield what one of the frames waits for."""
        if not self.each:
            return self.needs.whole
        place = self.frames.of(number)
        first = 0 if place is None else place * self.fan
        return (self.needs.at(at) for at in range(first, first + self.fan))


def refuse_circles(shapes: Sequence[Shape], whole: FrameRange) -> None:
    """Refuse rules of a job for its own frames by which some could never begin.

    Args:
        shapes: the rules; those for other jobs don't matter, since these can't know of this one.
        whole: the job's frames.

    Raises:
        CircularDependency: names a circle.
    """
    own = [shape for shape in shapes if not shape.on_job and not shape.server]
    if all(_looks_back(shape) for shape in own):
        return
    left = _stuck([_Shape(shape) for shape in own], whole)
    if left:
        found = _circle([_Shape(shape) for shape in own], left)
        names = [str(number) for number in found[:_SHOWN]] + ["…"] * (len(found) > _SHOWN)
        text = f"Frames wait for each other in a circle: {' waits for '.join(names)}."
        raise CircularDependency(text, hint="Leave out one of these.", circle=found[:1000])


def _looks_back(shape: Shape) -> bool:
    """Tell whether all frames wait for lower numbers only, as most do: then there is no circle."""
    if not shape.each:
        return shape.needs.last < shape.frames.first
    frames, needs = shape.frames, shape.needs
    plain = len(frames.spans) == 1 and len(needs.spans) == 1 and len(frames) == len(needs)
    return plain and frames.spans[0].step == needs.spans[0].step and needs.first < frames.first


def _stuck(shapes: list[_Shape], whole: FrameRange) -> set[int]:
    """Return the frames that are left when all are done that can be."""
    waits: Counter[int] = Counter()
    by_need: defaultdict[int, list[_Shape]] = defaultdict(list)
    for shape in shapes:
        for number in shape.frames.whole:
            waits[number] += shape.fan if shape.each else 1
        for number in shape.needs.whole:
            by_need[number].append(shape)
    free = deque(number for number in whole if not waits[number])
    left = set(whole)
    while free:
        number = free.popleft()
        left.discard(number)
        for shape in by_need[number]:
            for freed in shape.freed(number):
                waits[freed] -= 1
                if not waits[freed]:
                    free.append(freed)
    return left


def _circle(shapes: list[_Shape], left: set[int]) -> list[int]:
    """Walk from frame to frame that it waits for until one comes again."""
    number, seen = min(left), dict[int, int]()
    while number not in seen:
        seen[number] = len(seen)
        waiting = (shape for shape in shapes if number in shape.frames)
        number = next(need for shape in waiting for need in shape.needed(number) if need in left)
    walk = list(seen)
    return [*walk[seen[number] :], number]
