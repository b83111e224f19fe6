"""How files of several frames are named in one tar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def member_names(files: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Yield the path of each file in a bundle: its own name, and in a folder per frame what others had before.

    Args:
        files: frame and name of each, in the order of frames and names.
    """
    seen: set[str] = set()
    for frame, name in files:
        path = f"frame_{frame}/{name}" if name in seen else name
        seen.add(path)
        yield path
