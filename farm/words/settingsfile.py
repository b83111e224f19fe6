"""Write a settings file: what a program puts into it, beside what a person has put there."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from farm.words.errors import BadSetting

Value = str | int | float | bool | list[str]


def read(path: Path) -> dict[str, Any]:
    """Return what a settings file says; nothing if there is none.

    Raises:
        BadSetting: it can't be read.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadSetting(f"“{path}” can't be read: {error}.", hint="It must be TOML: name = value.") from error


def update(path: Path, values: dict[str, Value]) -> None:
    """Set values in a settings file, readable by its owner only; other lines, and comments, stay as they are.

    No half file is ever there.

    Raises:
        BadSetting: the file can't be read or written.
    """
    read(path)
    kept = [line for line in _lines(path) if _name(line) not in values]
    text = "".join(f"{line}\n" for line in kept) + "".join(f"{n} = {_toml(v)}\n" for n, v in values.items())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except OSError as error:
        raise BadSetting(f"“{path}” can't be written: {error.strerror or error}.") from error


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _name(line: str) -> str:
    """Return the name that a line sets; empty if none."""
    return line.partition("=")[0].strip() if "=" in line and not line.lstrip().startswith("#") else ""


def _toml(value: Value) -> str:
    """Return a value as TOML writes it; its strings are JSON's, but for one character that JSON need not escape."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value).replace("\x7f", "\\u007f")
