"""The files of Blender's caches, by their names: what else lies in the folder of one is nobody's business.

Knows nothing of Blender, so it can be tested without one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

FLUID = r"(config|data|guiding|mesh|noise|particles)/\w+_-?\d{4,}\.(uni|vdb|raw|npz|obj|bobj|obj\.gz|bobj\.gz)"
OCEAN = r"(disp|foam|normal|spray|spray_inverse)_-?\d{4,}\.exr"
BAKES = r"(?:\d+/)?(?:meta/-?\d+_\d+\.json|blobs/-?\d+_\d+\.blob|bdata/-?\d+_\d+\.bdata)"
"""Bakes of geometry nodes: one, or those of all nodes of a modifier in folders of their own; `bdata` until 4.0."""

_POINTS = r"_\d{6}(?:_\d{2})?\.bphys"

DEEP = 2
"""How many folders deep a cache's files may lie."""


def points(owner: str, name: str) -> str:
    """Return the pattern of a point cache's files.

    Args:
        owner: the name of the object or scene that it is of.
        name: its own name; empty: Blender writes its owner's in hexadecimal.
    """
    # Bytes beyond ASCII have a sign where C's `char` has one.
    signed = "".join(f"{byte:02X}" if byte < 128 else f"(?:FFFFFF)?{byte:02X}" for byte in owner.encode())
    return (re.escape(name) if name else f"(?:{signed})?") + _POINTS


def matching(folder: str, pattern: str) -> Iterator[str]:
    """Yield the files in and below a folder whose paths from there match; links are followed to files only."""
    wanted = re.compile(pattern)
    for at, folders, names in os.walk(folder):
        within = os.path.relpath(at, folder).replace(os.sep, "/")
        depth = 0 if within == "." else within.count("/") + 1
        folders[:] = sorted(folders) if depth < DEEP else []
        for name in sorted(names):
            if wanted.fullmatch(name if depth == 0 else f"{within}/{name}"):
                yield os.path.join(at, name)
