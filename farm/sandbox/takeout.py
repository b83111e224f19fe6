"""Take files out of a folder that a stranger's program writes to.

The program may still run, and swap a folder for a link between a look and the next step.
So each file is moved, not read, and its folders are opened one by one without following links.
What arrives is then out of the program's reach.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

_FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


def take_out(source: Path, names: Iterable[str], target: Path) -> dict[str, Path]:
    """Move files of a folder to another on the same disk; return where they are now.

    Args:
        source: the folder that the program writes to.
        names: relative paths with `/`, checked to lead nowhere else.
        target: a folder of ours, made if need be.

    Raises:
        OSError: one is not there, or is no plain file.
    """
    taken = {}
    for name in names:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        _move(source, name, place)
        if not stat.S_ISREG(place.lstat().st_mode):
            place.unlink()
            raise OSError(f"“{name}” is no plain file")
        taken[name] = place
    return taken


def _move(source: Path, name: str, place: Path) -> None:
    if sys.platform == "win32":  # no folders by number, and no sandbox either
        (source / name).replace(place)
        return
    *folders, last = name.split("/")
    folder = os.open(source, os.O_RDONLY | _FOLDER)
    try:
        for inner in folders:
            outer, folder = folder, os.open(inner, os.O_RDONLY | _FOLDER, dir_fd=folder)
            os.close(outer)
        os.rename(last, place, src_dir_fd=folder)
    finally:
        os.close(folder)
