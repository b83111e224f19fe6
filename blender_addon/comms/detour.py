"""The way past a server, straight to its bucket; who does not get through comes back, and stays for a while."""

from __future__ import annotations

import http.client
import time
from typing import Any
from urllib.parse import urlsplit

HEADER = "distren-direct"
"""By this, a server knows who can go that way."""

STAYS = 600.0
"""Seconds for which nobody tries again what did not work."""

PATIENCE = 10.0
"""Seconds without a byte after which the way counts as closed."""

_until: dict[str, float] = {}


def asked(server: str) -> dict[str, str]:
    """Return the header that asks a server for the way, unless it did not work lately."""
    return {HEADER: "yes"} if time.monotonic() >= _until.get(server, 0) else {}


def failed(server: str) -> None:
    """Note that the way does not work."""
    _until[server] = time.monotonic() + STAYS


def opened(server: str, verb: str, address: str, headers: dict[str, str], body: Any = None) -> Any:
    """Return a bucket's answer; None: it does not answer, or refuses. It gets no token.

    Args:
        server: that named the address; from TLS nothing leads out of TLS.
        verb: what to do there.
        address: with the permission to do it: it is nobody else's business.
        headers: of the request.
        body: of the request.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and server.startswith("http:")):
        failed(server)
        return None
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=PATIENCE)
    try:
        connection.request(verb, f"{parts.path}?{parts.query}", body, headers)
        response = connection.getresponse()
    except (OSError, http.client.HTTPException):
        response = None
    if response is None or response.status not in (200, 206, 416):
        connection.close()
        failed(server)
        return None
    if connection.sock is not None:
        connection.sock.close()  # the answer keeps it open as long as it is read
    return response
