"""Bake what simulates in a job's file, into a .blend and caches that lie as at home."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import Any

import bpy

from blender_addon import baking
from blender_addon.physics import unbaked
from farm.methods.inside.trouble import SLAVE, Trouble

from . import checks, machine
from .narration import Narrator
from .opening import Opened, open_file
from .relocate import restore

BEYOND = 2
"""Frames that are simulated behind the last one that is rendered: motion blur looks ahead."""

_ONCE_EACH = ("fluid or smoke", "simulation zone")
"""What is simulated one by one, after all the rest together."""


def bake(opened: Opened, order: dict[str, Any], narrator: Narrator) -> dict[str, Any]:
    """Bake the open file up to a frame; bring the .blend and its caches, by their places in the job.

    Blender writes caches beside the .blend, and the job's folder is read-only: so the job is laid into the frame's
    folder, and what differs there afterwards is the result.

    Args:
        opened: the open file.
        order: `picture` (the last frame that will be rendered), `output` (an empty folder).
        narrator: tells how far it is.

    Returns:
        The facts of the `done` event.

    Raises:
        Trouble: something can't be baked.
    """
    began, cpu = time.monotonic(), machine.cpu_seconds()
    folder, settings = order["output"], opened.order.get("settings") or {}
    try:
        laid = _lay(opened.order["root"], folder, opened.order["source"])
    except OSError as error:
        raise Trouble(f"The job can't be laid out to be baked: {error.strerror}.", SLAVE) from error
    copy = open_file(_there(opened.order, folder))
    narrator.begin()
    try:
        left = _simulate(copy.scene, int(order["picture"]), narrator)
    finally:
        narrator.end()
    checks.scripts(settings)
    if left:
        raise Trouble(f"Blender {bpy.app.version_string} can't bake {', '.join(left)}.")
    restore(copy.moved)
    _save()
    return {
        "files": _differing(folder, laid),
        "seconds": time.monotonic() - began,
        "cpu_seconds": machine.cpu_seconds() - cpu,
        "load_seconds": opened.seconds,
        "memory": machine.peak_bytes(),
    }


def _there(order: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return the order that opens the file in another folder than the job's."""
    root = os.path.join(order["root"], "")

    def moved(path: str) -> str:
        return os.path.join(folder, os.path.relpath(path, root))

    places = {old: moved(new) for old, new in (order.get("relocate") or {}).items()}
    return {**order, "root": folder, "source": moved(order["source"]), "relocate": places}


def _simulate(scene: Any, picture: int, narrator: Narrator) -> list[str]:
    waiting = unbaked(scene)
    single = sum(what.startswith(_ONCE_EACH) for what in waiting)
    rounds = single + (len(waiting) > single)
    last = min(max(scene.frame_end, picture), picture + BEYOND)
    return baking.bake(scene, _telling(narrator, max(1, rounds)), last, beside=True)


def _telling(narrator: Narrator, rounds: int) -> Callable[[int, int], None]:
    """Return what hears of frames: each round of them begins anew."""
    began, state = time.monotonic(), {"first": 0, "frame": 0, "round": -1}

    def tell(frame: int, last: int) -> None:
        if frame < state["frame"] or state["round"] < 0:
            state.update(first=frame, round=state["round"] + 1)
        state["frame"] = frame
        part = (frame - state["first"]) / max(1, last - state["first"])
        fraction = min(1.0, (min(state["round"], rounds - 1) + part) / rounds)
        elapsed = time.monotonic() - began
        narrator.reach(fraction, elapsed * (1 - fraction) / fraction if fraction else None)

    return tell


def _save() -> None:
    bpy.context.preferences.filepaths.save_version = 0
    try:
        answer = bpy.ops.wm.save_mainfile(compress=True)
    except RuntimeError as error:
        reason = str(error).strip().removeprefix("Error: ")
        raise Trouble(f"The baked file can't be saved: {reason}.", SLAVE) from error
    if "FINISHED" not in answer:
        raise Trouble("The baked file can't be saved; Blender does not say why.", SLAVE)


def _lay(root: str, folder: str, source: str) -> dict[str, object]:
    """Make a job's files appear in a folder that can be written to; return what they look like there.

    They are links, but for the .blend, for Blender saves over no file that it may not write to, and for what describes
    bakes of geometry nodes, which it opens for writing to read it.
    """
    laid = {}
    for at, _, names in os.walk(root):
        here = os.path.join(folder, os.path.relpath(at, root))
        os.makedirs(here, exist_ok=True)
        for name in names:
            old, new = os.path.join(at, name), os.path.join(here, name)
            if os.path.samefile(old, source) or os.path.basename(at) == "meta":
                shutil.copyfile(old, new)
            else:
                _link(old, new)
            laid[os.path.normpath(new)] = _stamp(new)
    return laid


def _link(old: str, new: str) -> None:
    try:
        os.symlink(old, new)
    except OSError:  # Windows allows links to few; other names of the same file could be written through
        shutil.copyfile(old, new)


def _stamp(path: str) -> object:
    found = os.lstat(path)
    return found.st_ino, found.st_mtime_ns, found.st_size


def _differing(folder: str, laid: dict[str, object]) -> list[str]:
    """Return the files of a folder that were not laid there, or were changed since."""
    paths = (os.path.normpath(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
    return sorted(path for path in paths if not os.path.islink(path) and laid.get(path) != _stamp(path))
