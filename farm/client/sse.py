"""Follow a server's event log over SSE."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx

from farm.client.http import problem, translated
from farm.protocol.jobs import FarmEvent, LogTail
from farm.words.errors import Unavailable, Unreachable

PATIENCE = 600.0
"""Seconds that a server may be away (restarted, updated, without its database) before following it is given up."""

AGAIN = 0.5
"""Seconds between tries."""

SILENCE = httpx.Timeout(10, read=40)
"""Seconds; the server sends a comment every 15 s, so longer silence is a dead connection."""


def events(http: httpx.Client, server: str, query: dict[str, str | int], since: str | None) -> Iterator[FarmEvent]:
    """Yield events, from now or from an id; reconnects with the last id, so that none is lost.

    Raises:
        Unavailable, Unreachable: nothing was heard of the server for ten minutes.
    """
    last, alive = since, time.monotonic()

    def heard() -> None:
        nonlocal alive
        alive = time.monotonic()

    while True:
        try:
            with translated(server):
                for fields in _stream(http, "/api/events", query, last, heard):
                    last = fields.get("id") or last
                    yield FarmEvent.model_validate_json(fields["data"])
        except (Unavailable, Unreachable):
            if time.monotonic() - alive > PATIENCE:
                raise
        time.sleep(AGAIN)


def tail(http: httpx.Client, server: str, path: str) -> Iterator[LogTail]:
    """Yield what a renderer says until it has ended; what was said while the server was away is skipped.

    Raises:
        Unavailable, Unreachable: the server is away.
    """
    with translated(server):
        for fields in _stream(http, path, {}, None, lambda: None):
            if fields.get("event") == "end":
                return
            yield LogTail.model_validate_json(fields["data"])


def _stream(
    http: httpx.Client, path: str, query: dict[str, str | int], since: str | None, heard: Callable[[], None]
) -> Iterator[dict[str, str]]:
    """Yield the events of one connection; calls `heard` at each line: a farm in which nothing happens lives, too."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": since} if since else {})
    with http.stream("GET", path, params=query, headers=headers, timeout=SILENCE) as response:
        if response.is_error:
            response.read()
            raise problem(response)
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            heard()
            if line:
                key, _, value = line.partition(":")
                fields[key] = f"{fields[key]}\n{value.strip()}" if key in fields else value.strip()
            elif fields.get("data"):
                yield fields
                fields = {}
            else:
                fields = {}
