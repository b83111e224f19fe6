"""Answers leave in one piece: head and body as two would be two calls of the system, and two packets, for each."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from farm.server.patience import PatientHttp

AT_MOST = 64 * 1024
"""Bytes that wait for more; what is larger is on its way at once."""


class JoinedHttp(PatientHttp):
    """uvicorn's protocol, whose writes of one turn of the event loop are one."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to speak."""
        super().connection_made(Joined(transport, self.loop))

    def send_400_response(self, msg: str) -> None:
        """Say that a request is none; without the memory to read it, hang up instead: its sender tries again then."""
        error = sys.exception()
        if error is not None and isinstance(error.__context__, MemoryError):
            self.transport.close()
        else:
            super().send_400_response(msg)

    def on_response_complete(self) -> None:
        """End a request, and forget it if it had arrived as a whole: thousands of slaves keep connections that wait."""
        super().on_response_complete()
        cycle = self.cycle
        if cycle is not None and cycle.response_complete and not cycle.more_body:
            self.cycle = self.scope = None  # type: ignore[assignment]
            self.headers = []


class Joined(asyncio.Transport):
    """A transport that joins what is written within one turn of the event loop.

    Args:
        inner: what sends it.
        loop: whose turns these are.
    """

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._inner = inner
        self._loop = loop
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send something, together with what else is written now."""
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append(bytes(data))
        self._size += len(data)
        if self._size > AT_MOST:
            self._send()

    def close(self) -> None:
        """Send what waits, then close."""
        self._send()
        self._inner.close()

    def is_closing(self) -> bool:
        """Tell whether it is closed, or about to be."""
        return self._inner.is_closing()

    def pause_reading(self) -> None:
        """Take nothing in for now."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Take in again."""
        self._inner.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection."""
        return self._inner.get_extra_info(name, default)

    def _send(self) -> None:
        if self._waiting:
            waiting, self._waiting, self._size = self._waiting, [], 0
            self._inner.write(b"".join(waiting))
