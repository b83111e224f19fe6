"""Who fills the disk: of the open renderers, the one that has written most."""

from __future__ import annotations

import shutil
from pathlib import Path

from farm.sandbox.wipe import size

FULL = 16 * 1024 * 1024
"""Free bytes below which a disk is as good as full: what was written then may be truncated."""


def hoarded(folder: Path, nameless: int = 0) -> int:
    """Return the bytes of a session, if its disk is as good as full and no other session has more; else 0.

    What it must not do: let a job keep a slave from all work for as long as a frame may take.

    Args:
        folder: the session's own; beside it are those of the others.
        nameless: bytes of files that the session has open, and has removed.
    """
    try:
        if shutil.disk_usage(folder).free >= FULL:
            return 0
        others = [other for other in folder.parent.iterdir() if other != folder]
    except OSError:
        return 0
    own = size(folder) + nameless
    return own if own > FULL and all(size(other) <= own for other in others) else 0
