"""File names that stand for many files: numbered sequences and UDIM tiles.

Knows nothing of Blender, so it can be tested without one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_NUMBER = re.compile(r"(.*?)(\d+)(\D*)$", re.DOTALL)
_TILE = re.compile(r"<UDIM>|<UVTILE>")


@dataclass(frozen=True)
class Sequence:
    """A numbered sequence: `folder/head0001tail`."""

    folder: str
    head: str
    digits: int
    tail: str

    def path(self, number: int) -> str:
        """Return the path of one member."""
        return os.path.join(self.folder, f"{self.head}{number:0{self.digits}d}{self.tail}")

    def present(self) -> dict[int, str]:
        """Return the members that are on disk, by number."""
        pattern = re.compile(re.escape(self.head) + r"(\d+)" + re.escape(self.tail))
        found = {}
        for name in listing(self.folder):
            match = pattern.fullmatch(name)
            if match and self.path(int(match[1])) == os.path.join(self.folder, name):
                found[int(match[1])] = os.path.join(self.folder, name)
        return found


@dataclass(frozen=True)
class Use:
    """How a shot plays a sequence; the words are Blender's image user's."""

    start: int
    duration: int
    offset: int
    cyclic: bool

    def number(self, frame: int) -> int:
        """Return the member that a frame shows."""
        at = frame - self.start + 1
        if self.cyclic and self.duration:
            at = (at - 1) % self.duration + 1
        return min(max(at, 1), max(self.duration, 1)) + self.offset

    def frames(self, number: int) -> tuple[int, int] | None:
        """Return the first and last frame that may need a member; None: any.

        One frame more on either side, since motion blur looks there. The two ends of a
        sequence stay on screen before and after it.
        """
        at = number - self.offset
        if self.cyclic or at <= 1 or at >= self.duration:
            return None
        middle = self.start + at - 1
        return max(0, middle - 1), max(0, middle + 1)


def sequence_of(path: str) -> Sequence | None:
    """Return the sequence that a path is a member of; None if its name has no number."""
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    match = _NUMBER.fullmatch(stem)
    if not match:
        return None
    return Sequence(folder, match[1], len(match[2]), match[3] + suffix)


def tiles(path: str) -> list[str]:
    """Return the files of a tiled texture that are on disk."""
    folder, name = os.path.split(path)
    parts = _TILE.split(name)
    number = r"\d{4}" if "<UDIM>" in name else r"u\d+_v\d+"
    pattern = re.compile(number.join(re.escape(p) for p in parts))
    return [os.path.join(folder, n) for n in listing(folder) if pattern.fullmatch(n)]


def tile(path: str, number: int) -> str:
    """Return the file of one tile; Blender counts ten in a row from 1001 on, other programs columns and rows from 1."""
    row, column = divmod(number - 1001, 10)
    return path.replace("<UDIM>", str(number)).replace("<UVTILE>", f"u{column + 1}_v{row + 1}")


def is_tiled(path: str) -> bool:
    """Tell whether a path has a place for a tile's number."""
    return bool(_TILE.search(path))


def listing(folder: str) -> list[str]:
    """Return the names in a folder, in order; none if it can't be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def spans(numbers: list[int]) -> str:
    """Return numbers as `1-5,9`, for messages."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)
