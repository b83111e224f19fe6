"""Connections that wait, in as little memory as can be: a server has one for each of thousands of slaves."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Line(list[Any]):
    """Requests that came before the former's answer: hardly ever one. A deque takes 760 bytes for none."""

    def appendleft(self, request: Any) -> None:
        """Put a request at the end; `pop` takes the oldest."""
        self.insert(0, request)


class Flow(FlowControl):
    """uvicorn's flow control, whose event is made when the first answer is too large for the line.

    Args:
        transport: what is paused.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.read_paused = self.write_paused = False

    @cached_property
    def _is_writable_event(self) -> asyncio.Event:  # type: ignore[override]
        event = asyncio.Event()
        event.set()
        return event


class LeanHttp(HttpToolsProtocol):
    """uvicorn's protocol in a quarter of its memory.

    What uvicorn keeps of a connection are too many names for Python's compact dictionaries; as slots they take 8 bytes
    each. A name that a later uvicorn has beside these works, too, and takes more.
    """

    __slots__ = (
        *(
            "access_log",
            "access_logger",
            "app",
            "app_state",
            "asgi_version",
            "client",
            "config",
            "connections",
            "cycle",
        ),
        *("expect_100_continue", "flow", "headers", "limit_concurrency", "logger", "loop", "parser", "pipeline"),
        *("root_path", "scheme", "scope", "server", "server_state", "tasks", "timeout_keep_alive"),
        *("timeout_keep_alive_task", "transport", "url", "ws_protocol_class"),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.pipeline = Line()  # type: ignore[assignment]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to speak."""
        super().connection_made(transport)
        self.flow = Flow(transport)
