"""Files that a power cut must not take back: their bytes, and their names."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path


def sync_file(path: Path) -> None:
    """Return when the disk has a file's bytes."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return when the disk has the names in a folder; Windows keeps them by itself, and opens no folders."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_secret(file: Path, place: Path) -> None:
    """Copy a file that only its owner may read: whole or not at all, whenever power or process end."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")  # mode 0600
    os.close(handle)
    try:
        shutil.copyfile(file, name)
        sync_file(Path(name))
        Path(name).replace(place)
    finally:
        Path(name).unlink(missing_ok=True)
    sync_folder(place.parent)
