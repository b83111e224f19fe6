"""Follow a server's event log over SSE."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from farm.client.http import problem, translated
from farm.protocol.jobs import FarmEvent
from farm.words.errors import Unavailable

PATIENCE = 60.0
"""Seconds that a server may be away before following it is given up."""

SILENCE = httpx.Timeout(10, read=40)
"""Seconds; the server sends a comment every 15 s, so longer silence is a dead connection."""


def events(http: httpx.Client, server: str, query: dict[str, str | int], since: str | None) -> Iterator[FarmEvent]:
    """Yield events, from now or from an id; reconnects with the last id, so that none is lost."""
    last, alive = since, time.monotonic()
    while True:
        try:
            with translated(server):
                for name, event in _stream(http, query, last):
                    last, alive = name or last, time.monotonic()
                    yield event
        except Unavailable:
            if time.monotonic() - alive > PATIENCE:
                raise
        time.sleep(0.5)


def _stream(http: httpx.Client, query: dict[str, str | int], since: str | None) -> Iterator[tuple[str, FarmEvent]]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": since} if since else {})
    with http.stream("GET", "/api/events", params=query, headers=headers, timeout=SILENCE) as response:
        if response.is_error:
            response.read()
            raise problem(response)
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            if line:
                key, _, value = line.partition(":")
                fields[key] = f"{fields[key]}\n{value.strip()}" if key in fields else value.strip()
            elif fields.get("data"):
                yield fields.get("id", ""), FarmEvent.model_validate_json(fields["data"])
                fields = {}
            else:
                fields = {}
