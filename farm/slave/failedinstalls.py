"""What could not be installed, and why: remembered for a day, over restarts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import structlog

from farm.protocol.slaves import Renderer

log = structlog.get_logger(__name__)

AGAIN = 24 * 3600
"""Seconds after which it is tried again: half a gigabyte is not fetched with each restart."""


def name_of(renderer: Renderer) -> str:
    """Return what a failure stands for: all patches of one version."""
    return f"{renderer.method} {'.'.join(renderer.version.split('.')[:2])}"


class FailedInstalls:
    """The failures, in a small file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[float, str]] = _read(path)

    def add(self, renderer: Renderer, why: str) -> None:
        """Note a failure."""
        self._known[name_of(renderer)] = (time.time(), why)
        try:
            self._path.write_text(json.dumps(self._known), encoding="utf-8")
        except OSError as error:
            log.warning("What could not be installed can't be kept", file=str(self._path), error=str(error))

    def has(self, renderer: Renderer) -> bool:
        """Tell whether this failed lately."""
        return name_of(renderer) in self._fresh()

    def words(self) -> list[str]:
        """Say what failed lately, and why."""
        return [f"{name} could not be installed: {why}"[:200] for name, why in sorted(self._fresh().items())]

    def _fresh(self) -> dict[str, str]:
        return {name: why for name, (at, why) in self._known.items() if abs(time.time() - at) < AGAIN}


def _read(path: Path) -> dict[str, tuple[float, str]]:
    try:
        return {str(name): (float(at), str(why)) for name, (at, why) in json.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
