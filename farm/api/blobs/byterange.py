"""Byte ranges (RFC 9110, section 14): one range, or the whole."""

from __future__ import annotations

import re

from farm.words.errors import RangeNotSatisfiable

_ONE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


def parse(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the wanted bytes as start and end (the first one after); None: the whole.

    A header that is no single range of bytes is ignored, as the standard wants.

    Args:
        header: of the request.
        size: of the file, bytes.

    Raises:
        RangeNotSatisfiable: the range lies outside of the file.
    """
    match = _ONE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise RangeNotSatisfiable(f"The file has {size:,} bytes; the range begins behind them.", size=size)
    return start, end
