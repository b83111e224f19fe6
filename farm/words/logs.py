"""Logs of the daemons: structlog, for people on a terminal, JSON for machines, on stderr."""

from __future__ import annotations

import logging
import sys
from collections import deque

import structlog
from structlog.typing import Processor

from farm.words.errands import TEXT
from farm.words.settings import LogFormat, LogLevel

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)

_CHATTY = ("httpx", "httpcore", "alembic", "asyncio", "multipart", "uvicorn")
"""Libraries whose `info` is our `debug`."""

LINES = 1000
"""Lines of a log that a process remembers, each of at most :data:`_LONGEST` characters."""

_LONGEST = 1000


def configure(style: LogFormat = "auto", level: LogLevel = "info") -> None:
    """Send all logs of this process to stderr; libraries' own, too.

    Args:
        style: human, json, or auto: human on a terminal.
        level: the least important messages that are written.
    """
    human = style == "human" or (style == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(human=human)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler, _kept()]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _Last(logging.Handler):
    """Keeps the last lines, for people who are not at this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; without memory for it, whoever logs goes on."""
        try:
            self.lines.append(self.format(record)[:_LONGEST])
        except Exception:  # noqa: BLE001 - as the standard library's own handlers do
            self.handleError(record)


def tail() -> str:
    """Return the last lines of this process's log, as many as fit into a message."""
    lines = [line for handler in logging.getLogger().handlers if isinstance(handler, _Last) for line in handler.lines]
    return "".join(f"{line}\n" for line in lines)[-TEXT:]


def _kept() -> logging.Handler:
    last = _Last()
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderers: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, plain]
    last.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=renderers))
    return last


def _renderers(*, human: bool) -> list[Processor]:
    if human:
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
