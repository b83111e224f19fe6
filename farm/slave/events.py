"""What happens on a slave, for whoever watches it: the log, and the command's `--json`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog

log = structlog.get_logger("farm.slave")

Watcher = Callable[[dict[str, Any]], None]
"""Gets each event as plain JSON values: `event`, `at`, and facts."""


class Events:
    """Says what happens, once to the log and once to the watcher."""

    def __init__(self, watcher: Watcher | None = None) -> None:
        self._watcher = watcher

    def say(self, event: str, **facts: Any) -> None:
        """Tell of something that a person wants to know."""
        self._tell(event, log.info, facts)

    def warn(self, event: str, **facts: Any) -> None:
        """Tell of something that a person should look at."""
        self._tell(event, log.warning, facts)

    def _tell(self, event: str, write: Callable[..., Any], facts: dict[str, Any]) -> None:
        write(event, **facts)
        if self._watcher:
            self._watcher({"event": event, "at": datetime.now(UTC).isoformat(), **facts})
