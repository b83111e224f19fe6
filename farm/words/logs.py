"""Logs of the daemons: structlog, for people on a terminal, JSON for machines, on stderr."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

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
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _renderers(*, human: bool) -> list[Processor]:
    if human:
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
