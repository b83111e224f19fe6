"""The file that a renderer's output goes to; it can't grow for ever."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

TAIL = 64 * 1024
"""Bytes of the end that people get to see."""

_LARGEST = 16 * 1024 * 1024
_UNSEEN = re.compile(r"\x1b\[[0-9;]*m|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class RenderLog:
    """The output of one session. The renderer appends to the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._mark = 0

    def append(self, data: bytes) -> None:
        """Write what came by another way than the renderer's stderr."""
        with contextlib.suppress(OSError), self.path.open("ab") as stream:
            stream.write(data)
            if stream.tell() > _LARGEST:
                stream.truncate(0)
                self._mark = 0

    def begin(self) -> None:
        """Note that a frame begins here."""
        self.trim()
        self._mark = self._size()

    def trim(self) -> None:
        """Start the file anew if it grew too large: a renderer may print without end."""
        if self._size() > _LARGEST:
            with contextlib.suppress(OSError), self.path.open("r+b") as stream:
                stream.truncate(0)
                self._mark = 0

    def of_frame(self) -> str:
        """Return the end of what was said since the frame began."""
        return self._read(max(self._mark, self._size() - TAIL))

    def since(self, told: int, most: int) -> tuple[int, str, int]:
        """Return what was said of the frame behind `told` bytes, `most` at most: where that begins, it, its end."""
        size = max(0, self._size() - self._mark)
        begin = max(told, size - most) if told <= size else max(0, size - most)
        return begin, self._read(self._mark + begin, size - begin), size

    def tail(self) -> str:
        """Return the end of all that was said."""
        return self._read(max(0, self._size() - TAIL))

    def _read(self, start: int, most: int = TAIL) -> str:
        with contextlib.suppress(OSError), self.path.open("rb") as stream:
            stream.seek(start)
            text = stream.read(most).decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
            return _UNSEEN.sub("", text)[-TAIL:]
        return ""

    def _size(self) -> int:
        with contextlib.suppress(OSError):
            return self.path.stat().st_size
        return 0
