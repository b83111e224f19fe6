"""Small disks that tests may fill: a tmpfs of their own, which only root may mount."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[Path]:
    """Mount an empty disk while the block runs; skipped where that is not allowed, and never in CI.

    Args:
        place: where; it is made.
        size: bytes.
    """
    place.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"No disk can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(file: Path, leave: int = 0) -> None:
    """Fill the disk with one file.

    Args:
        file: which; it is made.
        leave: bytes that stay free.
    """
    with file.open("wb", buffering=0) as out:
        with contextlib.suppress(OSError):
            while out.write(bytes(4096)):
                pass
        out.truncate(max(file.stat().st_size - leave, 0))


@contextmanager
def read_only(*files: Path) -> Iterator[None]:
    """Let nobody write to files while the block runs, neither root nor who has them open already."""
    done = subprocess.run(["chattr", "+i", *files], capture_output=True, text=True, check=False)
    if done.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"No file can be frozen here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *files], check=True)


def leave(place: Path, pages: int | None = None, names: int | None = None) -> None:
    """Let a small disk have room for so much more than it has; None: for as much as anybody wants.

    Args:
        place: where it is mounted.
        pages: of 4096 bytes.
        names: of files and folders.
    """
    disk = os.statvfs(place)
    size = (disk.f_blocks - disk.f_bfree + pages) * disk.f_frsize if pages is not None else 10**9
    inodes = disk.f_files - disk.f_ffree + names if names is not None else 10**6
    subprocess.run(["mount", "-o", f"remount,size={max(size, 4096)},nr_inodes={inodes}", str(place)], check=True)
