"""Ports for servers that tests kill and start again."""

from __future__ import annotations

import random
import socket

_BELOW = range(20_000, 32_000)
"""Below those that Linux gives to connections that go out (32768 and up): a port whose server is dead must not become
the near end of somebody's connection, even of one to itself, or the server can't be started again."""


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    while True:
        port = random.choice(_BELOW)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
