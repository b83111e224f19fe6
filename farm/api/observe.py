"""Around every request: how long it took, and a line in the log."""

from __future__ import annotations

import asyncio
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farm.api import problem
from farm.api.metrics import Metrics
from farm.api.shortage import shortage

log = structlog.get_logger(__name__)

_QUIET = frozenset({"/api/slave/next", "/healthz", "/readyz", "/metrics"})
"""Asked all the time: logged at no level but `debug`."""


class Observe:
    """Measure requests; refuse those for which there was not even what it takes to refuse them, as without memory.

    Args:
        app: what answers them.
        metrics: where the numbers go.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def watching(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watching)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # what is written in Rust panics by an error that is no Exception
            refusal = shortage(error)
            if status or refusal is None:
                raise
            await problem.answer(refusal)(scope, receive, watching)
        finally:
            self._note(scope, status or 500, time.perf_counter() - began - scope.get("hung", 0.0))

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The template, not the path: else every job would be a time series of its own.
        route = getattr(scope.get("route"), "path", None) or (scope["path"] if scope["path"] in _QUIET else "other")
        self._metrics.took(scope["method"], route, status, seconds)
        if scope["path"] in _QUIET:
            return
        who = getattr(scope.get("identity"), "name", "")
        level = log.info if status < 500 else log.warning
        level(
            "Answered.", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1), who=who
        )
