"""Which files are fetched together: many small ones in one tar, large ones each by itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from farm.protocol.jobs import OutputFile

SMALL = 1_000_000
"""Bytes of a frame up to which it travels with others: what breaks off is sent anew then."""

BYTES = 16_000_000
"""Bytes of one tar, so that several are on their way at once."""

FRAMES = 200
"""Frames of one tar."""


def batches(files: Iterable[OutputFile]) -> Iterator[list[OutputFile]]:
    """Yield the files of whole frames together, as long as they are small; else a frame's one by one.

    Args:
        files: in the order of their frames.
    """
    together: list[OutputFile] = []
    frames = size = 0
    for of_frame in _by_frame(files):
        weight = sum(file.size for file in of_frame)
        if weight > SMALL:
            yield from ([file] for file in of_frame)
            continue
        if together and (size + weight > BYTES or frames == FRAMES):
            yield together
            together, frames, size = [], 0, 0
        together, frames, size = [*together, *of_frame], frames + 1, size + weight
    if together:
        yield together


def _by_frame(files: Iterable[OutputFile]) -> Iterator[list[OutputFile]]:
    here: list[OutputFile] = []
    for file in files:
        if here and file.frame != here[0].frame:
            yield here
            here = []
        here.append(file)
    if here:
        yield here
