"""The artist's own OpenColorIO configuration, and the tables that it names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

VARIABLE = "OCIO"
"""The environment variable by which Blender, like other programs, is told of one."""

_SEARCH = re.compile(r"^search_path:[ \t]*(.*(?:\n[ \t]*- .*)*)", re.MULTILINE)
_TABLE = re.compile(r"\bsrc:[ \t]*(\"[^\"]*\"|'[^']*'|[^,}\n]+)")
_QUOTES = "\"' \t"


def own_configuration() -> str:
    """Return the path of the configuration that this Blender was started with; empty: Blender's own."""
    path = os.environ.get(VARIABLE, "")
    return os.path.abspath(path) if path and os.path.isfile(path) else ""


def tables(configuration: str) -> Iterator[str]:
    """Yield the paths of the tables (LUTs) that a configuration names and that are there."""
    try:
        with open(configuration, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, ValueError):
        return  # an archive (.ocioz) holds its tables itself
    folders = _folders(text, os.path.dirname(configuration))
    for name in dict.fromkeys(found.strip(_QUOTES) for found in _TABLE.findall(text)):
        candidates = (os.path.normpath(os.path.join(folder, name)) for folder in folders)
        path = next(filter(os.path.isfile, candidates), "")
        if path:
            yield path


def _folders(text: str, home: str) -> list[str]:
    """Return the folders that tables are looked for in."""
    found = _SEARCH.search(text)
    written = re.split(r"\n[ \t]*- |:(?![\\/])", found[1]) if found else []
    return [home, *(os.path.join(home, part.strip(_QUOTES)) for part in written if part.strip(_QUOTES))]
