"""A place in the event log: one number per writer, written `w1:s1,w2:s2`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from farm.words.errors import Malformed


@dataclass(frozen=True, slots=True)
class Vector:
    """The last event of each writer that a reader has seen."""

    seen: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a vector.

        Raises:
            Malformed: the text is none.
        """
        try:
            pairs = [part.split(":") for part in text.split(",") if part.strip()]
            return cls({int(writer): int(seq) for writer, seq in pairs})
        except ValueError as error:
            raise Malformed(f"“{text[:40]}” is no place in the event log.") from error

    def __str__(self) -> str:
        return ",".join(f"{writer}:{seq}" for writer, seq in sorted(self.seen.items()))

    def after(self, writer: int, seq: int) -> Vector:
        """Return the place after this event."""
        return Vector({**self.seen, writer: max(seq, self.seen.get(writer, 0))})
