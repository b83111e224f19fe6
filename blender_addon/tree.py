"""The job's folder: the artist's own tree from the common folder of all files downwards.

So `//../textures/wood.png` stays right on the farm without touching the .blend. Files
on other drives can only be named by absolute paths: they get a folder per drive, and
the renderer's script maps the old place to it. Knows nothing of Blender.
"""

from __future__ import annotations

import ntpath
import os


def common_root(paths: list[str]) -> str:
    """Return the deepest folder that holds all files; empty if they are on several drives."""
    folders = [os.path.dirname(p) for p in paths]
    try:
        return os.path.commonpath(folders)
    except ValueError:  # Windows: several drives
        return ""


def place_in(root: str, path: str) -> str:
    """Return a file's place in the job, with `/` between its parts."""
    if root:
        return os.path.relpath(path, root).replace(os.sep, "/")
    drive, rest = ntpath.splitdrive(path)
    return "/".join([drive_folder(drive), *[p for p in rest.replace("\\", "/").split("/") if p]])


def drive_folder(drive: str) -> str:
    """Return the folder in the job that stands for a drive or a share."""
    name = "".join(c for c in drive.replace("\\", "/").strip("/").replace("/", "_") if c.isalnum() or c in "._-")
    return f"drive_{name.lower()}"


def relocation(root: str, paths: list[str]) -> dict[str, str]:
    """Return the folders of the artist's machine → their place in the job, for absolute paths."""
    if root:
        return {root.replace("\\", "/"): "."}
    drives = sorted({ntpath.splitdrive(p)[0] for p in paths})
    return {drive.replace("\\", "/"): drive_folder(drive) for drive in drives}
