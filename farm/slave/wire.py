"""The session wire as the slave reads it: JSON lines behind a mark, among whatever else is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MARK = b"\x1e"
"""Begins each event, so that stray prints are recognised."""

LONGEST = 1024 * 1024
"""Bytes of one line; a longer one is no event."""


class Splitter:
    """Cut what arrives into events and stray text, wherever the reads were cut."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any] | bytes]:
        """Take the next bytes; yield events (dicts with `event`) and stray text (bytes)."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = bytearray(rest)
        for line in lines:
            yield from _parts(bytes(line) + b"\n")
        if len(self._rest) > LONGEST:
            yield bytes(self._rest)
            self._rest.clear()

    def end(self) -> Iterator[dict[str, Any] | bytes]:
        """Yield what is left when the stream ended."""
        if self._rest:
            yield from _parts(bytes(self._rest))
            self._rest.clear()


def _parts(line: bytes) -> Iterator[dict[str, Any] | bytes]:
    stray, mark, rest = line.partition(MARK)
    event = _event(rest) if mark else None
    if event is None:
        yield line
        return
    if stray:
        yield stray + b"\n"
    yield event


def _event(text: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("event"), str) else None


def order(do: str, **facts: Any) -> bytes:
    """Return the line that tells a child to do something."""
    return json.dumps({"do": do, **facts}).encode() + b"\n"


def number(event: dict[str, Any], name: str) -> float:
    """Return a number of an event that is not negative; a child's word is not trusted to be one."""
    value = event.get(name)
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e18
    return float(value) if good and value is not None else 0.0
