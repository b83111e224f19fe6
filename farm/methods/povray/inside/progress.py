"""Understand what POV-Ray says on stderr, as it comes: progress after carriage returns, the rest in lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST = 64 * 1024
"""Bytes of a line that are kept; a scene may print without end."""

MESSAGES = 20
"""Errors that are kept."""

_ENDS = re.compile(rb"[\r\n]")
_RENDERED = re.compile(rb"Rendered (\d{1,18}) of (\d{1,18}) pixels")
_ERROR = re.compile(
    r"(?:File '(?P<file>[^']*)' line (?P<line>\d+): )?"
    r"(?P<kind>(?:Possible )?Parse Error|Fatal error in \w+)[:.] ?(?P<text>.*)"
)
_OTHER = re.compile(
    r"Problem with option setting|Failed to parse|.*(No space left on device|out of memory|bad_alloc)", re.I
)
_VAGUE = ("Cannot parse input.", "Cannot open file.")
"""What POV-Ray adds after the errors themselves."""


@dataclass(slots=True)
class Talk:
    """What was said so far. `fraction`: how much of the picture is rendered; it never goes back.

    A continued render counts from 0 to what was missing.
    """

    fraction: float = 0.0
    errors: list[str] = field(default_factory=list)
    _rest: bytes = b""
    _said: str = ""

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read; return what belongs into the log, line by line."""
        *whole, self._rest = _ENDS.split(self._rest + data)
        if len(self._rest) > LONGEST:
            whole, self._rest = [*whole, self._rest], b""
        return [line for line in whole if self._line(line[:LONGEST])]

    def end(self) -> list[bytes]:
        """Take the end of the stream."""
        rest, self._rest = self._rest, b""
        lines = [rest] if rest and self._line(rest) else []
        self._judge()
        return lines

    def _line(self, line: bytes) -> bool:
        """Note a line; tell whether it is one for the log."""
        found = _RENDERED.match(line)
        if found:
            done, total = int(found[1]), int(found[2])
            self.fraction = max(self.fraction, min(1.0, done / total)) if total else self.fraction
            return False
        if line.strip():
            self._join(line.decode("utf-8", "replace"))
        return bool(line.strip())

    def _join(self, text: str) -> None:
        """Put together what POV-Ray broke at 80 characters: the rest begins with one blank, or is in a long path."""
        if len(self._said) > 2000:
            return
        if text.startswith(" ") and text[1:2].strip():
            self._said += f" {text.strip()}"
        elif self._said.startswith("File '") and "'" not in self._said[6:]:
            self._said += text.rstrip()
        else:
            self._judge()
            self._said = text.strip()

    def _judge(self) -> None:
        if len(self.errors) < MESSAGES and (_ERROR.match(self._said) or _OTHER.match(self._said)):
            self.errors.append(self._said)
        self._said = ""

    def reason(self) -> str:
        """Return what went wrong in POV-Ray's own words, with file and line; empty: it did not say."""
        told = [_plain(text) for text in self.errors]
        clear = [text for text in told if text and not text.endswith(_VAGUE)]
        return " ".join(dict.fromkeys(clear)) or " ".join(dict.fromkeys(told))


def _plain(text: str) -> str:
    found = _ERROR.match(text)
    if not found:
        return text
    if found["kind"].startswith("Possible") and "assumed_gamma" in found["text"]:
        return ""  # a warning by another name
    where = f"{found['file']}, line {found['line']}: " if found["file"] else ""
    return f"{where}{found['text']}"
