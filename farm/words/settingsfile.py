"""Write a settings file: what a program puts into it, beside what a person has put there."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from farm.words.errors import BadSetting

Value = str | int | float | bool | list[str]


def read(path: Path) -> dict[str, Any]:
    """Return what a settings file says; nothing if there is none.

    Raises:
        BadSetting: it can't be read; says where it is no TOML, but quotes nothing: it may hold a password.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadSetting(f"The settings file “{path}” can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadSetting(f"“{path}”, line {line}: these characters are not UTF-8.", hint="Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"“{path}”{_where(error)}: this is no TOML.", hint=_TOML) from error


def _where(error: tomllib.TOMLDecodeError) -> str:
    """Return the place that the reader names in its words."""
    line = re.search(r"line (\d+)", str(error))
    return f", line {line.group(1)}" if line else ", at its end"


def line_of(path: Path, name: str) -> int | None:
    """Return which line of a settings file says a setting; None: none does, or there is no such file."""
    said = (number for number, line in enumerate(_lines(path), 1) if name in (_name(line), _table(line)))
    return next(said, None)


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


_TOML = 'Write each setting as name = value, texts in quotes and once each: name = "farm", port = 8282.'


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _name(line: str) -> str:
    """Return the name that a line sets; empty if none."""
    return line.partition("=")[0].strip() if "=" in line and not line.lstrip().startswith("#") else ""


def _table(line: str) -> str:
    """Return the name of the table that a line begins; empty if none."""
    begun = re.match(r"\s*\[+\s*([\w-]+)", line)
    return begun.group(1) if begun else ""


def _toml(value: Value) -> str:
    """Return a value as TOML writes it; its strings are JSON's, but for one character that JSON need not escape."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value).replace("\x7f", "\\u007f")
