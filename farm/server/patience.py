"""Requests that never end: a head must arrive soon and be of a size, and a body must go on arriving.

Else each connection of who sends a byte a minute, or a header without an end, would be kept, and what it said, too;
nobody has to log in for that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import structlog

from farm.api import problem
from farm.server.lean import LeanHttp
from farm.words.errors import Malformed

log = structlog.get_logger(__name__)

HEAD_SECONDS = 30.0
"""From the opening of a connection, or a request's first byte, until the end of its head."""

BODY_SECONDS = 120.0
"""Without a byte of a body: our own clients believe in no connection for longer either."""

DEAF_SECONDS = 120.0
"""For which what we have sent may go unconfirmed, on a line that is dead one way or both: Linux would go on sending for
a quarter of an hour."""

LOOSE_BYTES = 64 * 1024
"""Of address and headers together, beyond the first piece of them; and between two pieces of a body."""


class PatientHttp(LeanHttp):
    """uvicorn's protocol, with an end to what it waits for; :func:`close_stalled` looks at all of them.

    begun: when the connection was opened, or the request began that has not arrived as a whole; None: none is arriving.
    heard: when its last byte came.
    heading: its head is not complete.
    loose: bytes that are neither a whole head nor of a body, so far: the parser keeps them.
    """

    __slots__ = ("_fed", "begun", "heading", "heard", "loose")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.begun: float | None = None
        self.heard = 0.0
        self.heading = True
        self.loose = 0
        self._fed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to listen."""
        super().connection_made(transport)
        self.begun = self.heard = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it goes on and on without becoming a request."""
        self.heard, self._fed = self.loop.time(), False
        super().data_received(data)
        self.loose = 0 if self._fed or self.begun is None else self.loose + len(data)
        if self.loose > LOOSE_BYTES:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._fed = self.heading = True
        if self.begun is None:
            self.begun = self.heard

    def on_headers_complete(self) -> None:
        """Begin its body."""
        super().on_headers_complete()
        self._fed, self.heading = True, False

    def on_body(self, body: bytes) -> None:
        """Take a piece of its body."""
        super().on_body(body)
        self._fed = True

    def on_message_complete(self) -> None:
        """Note that it has arrived as a whole."""
        super().on_message_complete()
        self.begun = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, as any other fault is answered."""
        self.refuse(HTTPStatus.BAD_REQUEST, msg)

    def refuse(self, status: HTTPStatus, why: str) -> None:
        """Answer with an error, unless another answer is on its way, and close the connection."""
        if self.transport.is_closing():
            return
        if not self._answering():
            body = json.dumps({**Malformed(why).problem(), "status": int(status)}).encode()
            head = f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: {problem.MEDIA_TYPE}\r\n"
            self.transport.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def stalled(self, now: float) -> bool:
        """Tell whether a request has been arriving for too long.

        Args:
            now: by the loop's clock, seconds.
        """
        if self.begun is None or self.transport.is_closing():
            return False
        if self.heading:
            return now - self.begun > HEAD_SECONDS
        if self.flow.read_paused or (self.cycle is not None and self.cycle.waiting_for_100_continue):
            self.heard = now  # it is we who let it wait
        return now - self.heard > BODY_SECONDS

    def give_up(self) -> None:
        """End a connection that has stalled; who still listens is told why."""
        log.info("A request did not go on arriving.", client=self.client and self.client[0], head=self.heading)
        self.refuse(HTTPStatus.REQUEST_TIMEOUT, "The request did not go on arriving.")

    def _answering(self) -> bool:
        """Tell whether bytes of ours would come into the middle of an answer, or before one."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        return self.heading or self.cycle.response_started


def close_stalled(connections: Iterable[object], now: float) -> None:
    """End all connections whose requests have stalled.

    Args:
        connections: all that there are.
        now: by the loop's clock, seconds.
    """
    for each in [one for one in connections if isinstance(one, PatientHttp) and one.stalled(now)]:
        each.give_up()
