"""Is there room on the disk to render?"""

from __future__ import annotations

import shutil
from pathlib import Path

import structlog

from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)

_FULL = 16 * 1024 * 1024
"""Free bytes below which a failure is the disk's fault."""

_RESULTS = 20_000_000_000
"""Bytes of unsent results above which nothing new is rendered: the way to the server is too slow."""


class Space:
    """Looks at the disk of the work folder."""

    def __init__(self, settings: SlaveSettings, folder: Path) -> None:
        self._least = int(settings.free_space)
        self._folder = folder
        self.enough = True
        self.look(0)

    def look(self, results: int) -> None:
        """Look anew.

        Args:
            results: bytes of results that wait to be sent.
        """
        free = self._free()
        enough = free >= self._least and results < _RESULTS
        if enough != self.enough:
            log.warning("Room to render" if enough else "No room to render", free_bytes=free, unsent_bytes=results)
        self.enough = enough

    def full(self) -> bool:
        """Tell whether the disk is as good as full right now."""
        return self._free() < _FULL

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return 0
