"""The artist's own folder: which pictures are there, and how former ones are kept. Knows nothing of Blender."""

from __future__ import annotations

import os
from collections.abc import Mapping

FORMER = "former"
"""The folder beside pictures that keeps those which newer ones took the place of."""


def lacking(folder: str, names: Mapping[int, str]) -> list[int]:
    """Return the frames whose pictures are not in a folder, ascending; an empty file is none, but a placeholder.

    Args:
        folder: where they should be.
        names: of the pictures, by frame; without their suffix, any will do.
    """
    try:
        with os.scandir(folder) as entries:
            there = {entry.name for entry in entries if entry.is_file() and entry.stat().st_size}
    except OSError:
        there = set()
    there |= {os.path.splitext(name)[0] for name in there}
    return sorted(frame for frame, name in names.items() if name not in there)


def set_aside(path: str) -> str:
    """Move a file into a folder `former` beside it, over nothing that is there; return where it is now."""
    folder, name = os.path.split(path)
    count = 1
    while True:
        place = os.path.join(folder, FORMER if count == 1 else f"{FORMER}-{count}", name)
        if not os.path.lexists(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.replace(path, place)
            return place
        count += 1
