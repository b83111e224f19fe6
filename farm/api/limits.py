"""How large a request may be, before it is in memory."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farm.api.authenticate import PUBLIC, refuse
from farm.api.peers.letters import INTRODUCTION
from farm.words.errors import DistrenError, Malformed, TooLarge

STREAMS = ("/api/blobs/", "/api/slave/results/", "/api/jobs/povray", "/api/jobs/package")
"""Addresses that take bodies as a stream and watch the size themselves."""

_VIA = re.compile(r"^/api/peers/[^/]+/via(?=/api/blobs/)")
"""What stands before a file that is passed on to a peer."""

STRANGERS = 64 * 1024
"""The largest request of somebody without a token, bytes."""


class Limits:
    """Refuse requests that are too large, by their announced length or while they arrive.

    Args:
        app: what answers the others.
        largest: bytes of the largest request that is not a stream.
    """

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413, or pass the request on."""
        if scope["type"] != "http" or _VIA.sub("", scope["path"]).startswith(STREAMS):
            await self._app(scope, receive, send)
            return
        most = STRANGERS if scope["path"] in PUBLIC or scope["path"] == INTRODUCTION else self._largest
        try:
            announced = _announced(scope)
            if announced > most:
                raise _too_large(most)
        except DistrenError as error:
            await refuse(send, error)
            return
        await self._app(scope, receive if announced >= 0 else _counted(receive, most), send)


def _announced(scope: Scope) -> int:
    """Return the announced length; -1 for a body that comes in chunks of unknown number."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise Malformed("The Content-Length is no number.")
            return int(value)
    return -1


def _counted(receive: Receive, most: int) -> Receive:
    total = 0

    async def counting() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise _too_large(most)
        return message

    return counting


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The request is larger than {most:,} bytes.", hint="`request_limit` of the server sets this.")
