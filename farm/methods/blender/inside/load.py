"""Load a .blend, and see to what must be done before Blender computes anything of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy
from bpy.app.handlers import persistent

from farm.methods.inside.trouble import Trouble


def load(source: str, scripts: bool, *first: Callable[[], Any]) -> None:
    """Load a file.

    Args:
        source: its path.
        scripts: its Python may run.
        first: what is done to it before Blender computes anything: for some things it looks only once.

    Raises:
        Trouble: it is not here, or this Blender can't open it.
    """
    # By its absolute path: 3.4.1 turns `//../x` of a relatively opened file into `/x`.
    path = os.path.abspath(source)
    if not os.path.isfile(path):
        raise Trouble(f"The file {path} is not here.")
    try:
        with _doing(first):
            bpy.ops.wm.open_mainfile(filepath=path, use_scripts=scripts, load_ui=False)
    except RuntimeError as error:
        reason = str(error).strip().removeprefix("Error: ")
        raise Trouble(f"Blender {bpy.app.version_string} can't open {os.path.basename(path)}: {reason}") from error
    if not os.path.samefile(bpy.data.filepath or os.devnull, path):
        raise Trouble(f"Blender {bpy.app.version_string} can't open {os.path.basename(path)}.")


@contextmanager
def _doing(first: tuple[Callable[[], Any], ...]) -> Iterator[None]:
    """Do this as soon as a file is read."""
    trouble: list[Exception] = []

    def done(*_: Any) -> None:
        try:
            for one in first:
                one()
        except Exception as error:  # noqa: BLE001  Blender would print it, and go on
            trouble.append(error)

    kept = persistent(done)  # reading a file drops the others
    bpy.app.handlers.load_post.append(kept)
    try:
        yield
    finally:
        bpy.app.handlers.load_post.remove(kept)
    if trouble:
        raise trouble[0]
