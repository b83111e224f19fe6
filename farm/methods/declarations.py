"""Settings that are lines `NAME=VALUE`: identifiers that a source may read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DECLARED = re.compile(
    r'([A-Za-z_][A-Za-z0-9_]{0,39})\s*=\s*([+-]?[0-9.]{1,40}([eE][+-]?\d{1,3})?|"[^"\x00-\x1f\\]{0,200}")'
)
"""`NAME=VALUE`, where the value is a number or a text in quotes."""


def declarations(value: Any) -> str:
    """Return lines, or a table of names and values, as lines.

    Raises:
        ValueError: a line declares nothing; says which.
        TypeError: it is neither a text nor a table.
    """
    if isinstance(value, Mapping):
        value = "\n".join(f"{name}={_written(one)}" for name, one in value.items())
    if not isinstance(value, str):
        raise TypeError
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    for line in lines:
        if not DECLARED.fullmatch(line):
            raise ValueError(line)
    return "\n".join(lines)


def joined(first: str, more: str) -> str:
    """Return the lines of both; what is declared in both is as the second says."""
    named = {line.partition("=")[0].strip(): line for text in (first, more) for line in text.splitlines()}
    return "\n".join(named.values())


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return f'"{value}"' if isinstance(value, str) else str(value)
