"""Let Blender read bakes of geometry nodes that it must not write to.

It opens what describes them (`meta/*.json`) for writing, too (4.5.15, 5.0.1, 5.2.3); where it may not, the bake
counts as empty, without a word. So these files are copied, which are small; what they describe stays where it is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import bpy

from blender_addon.paths import absolute


def make_readable() -> None:
    """Give each bake that lies in read-only files a folder of its own."""
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            for bake in getattr(modifier, "bakes", ()):
                place = folder(thing, modifier, bake)
                if any(not os.access(path, os.W_OK) for path in _described(place)):
                    bake.use_custom_path, bake.directory = True, os.path.join(_copy(place), "")


def folder(thing: Any, modifier: Any, bake: Any) -> str:
    """Return the folder of a bake; empty: it has none."""
    named = bake.directory if bake.use_custom_path else modifier.bake_directory
    if not named:
        return ""
    return os.path.join(absolute(named, thing.library), "" if bake.use_custom_path else str(bake.bake_id))


def _described(place: str) -> Iterator[str]:
    meta = os.path.join(place, "meta")
    if place and os.path.isdir(meta):
        yield from (os.path.join(meta, name) for name in os.listdir(meta))


def _copy(place: str) -> str:
    """Return a folder with copies of what describes a bake, and with the rest of it."""
    made = tempfile.mkdtemp(prefix="bake-")
    os.mkdir(os.path.join(made, "meta"))
    for path in _described(place):
        shutil.copyfile(path, os.path.join(made, "meta", os.path.basename(path)))
    blobs, here = os.path.join(place, "blobs"), os.path.join(made, "blobs")
    try:
        os.symlink(blobs, here, target_is_directory=True)
    except OSError:  # Windows lets few users link
        shutil.copytree(blobs, here, copy_function=shutil.copyfile)
    return made
