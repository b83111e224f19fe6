"""Frames that broke off, kept for renderers that can go on with them."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

KEPT = 3 * 86400.0
"""Seconds after its last change that an unfinished frame is kept: its job may have ended elsewhere."""


def tidy(folder: Path) -> None:
    """Remove what nobody went on with.

    Args:
        folder: it holds a folder per job.
    """
    for job in list(folder.iterdir()) if folder.is_dir() else []:
        if time.time() - _changed(job) > KEPT:
            shutil.rmtree(job, ignore_errors=True)


def _changed(job: Path) -> float:
    """Return when a job's folder was changed last; what a renderer does meanwhile is no matter."""
    newest = 0.0
    for path in (job, *job.rglob("*")):
        try:
            newest = max(newest, path.lstat().st_mtime)
        except FileNotFoundError:
            continue
    return newest
