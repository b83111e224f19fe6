"""Logs of the rooms that a verb uses: warnings to stderr, so that stdout stays the answer's."""

from __future__ import annotations

import logging
import sys

import structlog


def quiet_logs() -> None:
    """Send log lines to stderr, and only those that a person must see."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
