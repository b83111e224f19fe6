"""Copies of .blend files: whether one was written to its end. Knows nothing of Blender."""

from __future__ import annotations

import os

_COMPRESSED, _TABLE = b"\x28\xb5\x2f\xfd", b"\xb1\xea\x92\x8f"
"""How a file that is compressed (zstd) begins, and how the table of its parts ends, which Blender writes last."""

_LAST, _NEAR = b"ENDB", 64
"""The code of the last block of one that is not, and how many bytes before the end it stands at most."""


def whole(path: str) -> bool:
    """Tell whether a .blend has its end: Blender 5.2.3 says nothing when a disk is full in the middle of one."""
    with open(path, "rb") as stream:
        compressed = stream.read(len(_COMPRESSED)) == _COMPRESSED
        stream.seek(max(0, os.path.getsize(path) - _NEAR))
        end = stream.read()
    return end.endswith(_TABLE) if compressed else _LAST in end
