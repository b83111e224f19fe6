"""Blender's player for pictures: it stops at the first gap, so it is given links without gaps."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence

import bpy


def play(pictures: Sequence[str], fps: int, base: float) -> None:
    """Play pictures in a window of its own; Blender goes on meanwhile.

    Args:
        pictures: their paths, in order, all of one kind.
        fps: frames per second, divided by `base`.
        base: see `fps`.
    """
    folder = tempfile.mkdtemp(prefix="distren-play-")
    suffix = os.path.splitext(pictures[0])[1]
    for number, path in enumerate(pictures, 1):
        _link(path, os.path.join(folder, f"{number:06}{suffix}"))
    first = os.path.join(folder, f"000001{suffix}")
    ends = ["-s", "1", "-e", str(len(pictures)), "-j", "1"]
    argv = [bpy.app.binary_path, "-a", "-f", str(fps), str(base), *ends, first]
    threading.Thread(target=_watch, args=(argv, folder), name="distren-player", daemon=True).start()


def _watch(argv: list[str], folder: str) -> None:
    try:
        subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link(path: str, place: str) -> None:
    """Let a picture be seen at another place; as a copy where there are no links."""
    for way in (os.symlink, os.link, shutil.copyfile):
        try:
            way(path, place)
        except OSError:
            continue
        return
