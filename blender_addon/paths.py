"""Where the paths of the open file lead on this machine."""

from __future__ import annotations

import os
from typing import Any

import bpy


def absolute(path: str, library: Any = None) -> str:
    """Return a path of Blender's as a clean absolute path of this system.

    Args:
        path: as it stands in the file; one that was saved on Windows has backslashes, and Blender follows them.
        library: the library that it stands in; None: the open file.
    """
    here = path.replace("\\", os.sep) if path.startswith("//") else path
    start = os.path.dirname(library_file(library)) if library is not None else None
    return os.path.normpath(str(bpy.path.abspath(here, start=start)))


def library_file(library: Any) -> str:
    """Return where a library lies.

    As soon as a file is read, Blender counts the paths of all its libraries from there, those of libraries in
    libraries too; one that was linked since may still be counted from the library that named it.
    """
    here = absolute(library.filepath)
    if library.parent is None or os.path.isfile(here):
        return here
    by_parent = absolute(library.filepath, library.parent)
    return by_parent if os.path.isfile(by_parent) else here
