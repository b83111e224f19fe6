"""Read a multipart form as it arrives: nothing of it is collected here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from farm.words.errors import Malformed

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PARTS = 100_000
"""The most parts of one form."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part begins. `filename` None: it is a text field."""

    name: str
    filename: str | None


class End:
    """The part ended."""


END = End()
Event = Part | bytes | End


async def events(stream: AsyncIterator[bytes], content_type: str) -> AsyncIterator[Event]:
    """Yield what a form consists of: a part's beginning, its bytes in pieces, its end.

    Args:
        stream: the request's body.
        content_type: the request's header.

    Raises:
        Malformed: it is no form, broke off, or has too many parts.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Malformed(
            "This address takes a form (multipart/form-data).", hint="curl -F scene=@scene.pov … sends one."
        )
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        async for chunk in stream:
            parser.write(chunk)
            for event in reader.taken():
                yield event
        parser.finalize()
    except FormParserError as error:
        raise Malformed(f"The form is damaged: {error}.") from error
    if not reader.whole:
        raise Malformed("The form broke off before its end.", hint="Send it again.")


class _Reader:
    """Turns the parser's calls into events."""

    def __init__(self) -> None:
        self.whole = False
        self._events: list[Event] = []
        self._headers: dict[str, str] = {}
        self._name = self._value = b""
        self._parts = 0

    def callbacks(self) -> MultipartCallbacks:
        """Return what the parser calls at each part of the form."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._open,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def taken(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _begin(self) -> None:
        self._headers = {}
        self._parts += 1
        if self._parts > PARTS:
            raise Malformed(f"The form has more than {PARTS:,} parts.")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._name = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", "").encode())
        name, filename = options.get(b"name"), options.get(b"filename")
        if name is None:
            raise Malformed(f"Part {self._parts} of the form has no name.")
        self._events.append(Part(_text(name), None if filename is None else _text(filename)))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _end(self) -> None:
        self._events.append(END)

    def _all(self) -> None:
        self.whole = True


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
