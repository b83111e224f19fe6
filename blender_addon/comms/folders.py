"""Where this user's logins, caches and notes lie: where the `distren` command keeps its own."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import Any

_XDG = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "state": ("XDG_STATE_HOME", os.path.join(".local", "state")),
}


def user_folder(kind: str) -> str:
    """Return this user's folder for `config`, `cache` or `state`. It need not exist yet."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        variable = "APPDATA" if kind == "config" else "LOCALAPPDATA"
        return os.path.join(os.environ.get(variable) or os.path.join(home, "AppData"), "DistRen", kind)
    if sys.platform == "darwin":
        part = "Caches" if kind == "cache" else "Application Support"
        return os.path.join(home, "Library", part, "DistRen", kind)
    variable, usual = _XDG[kind]
    return os.path.join(os.environ.get(variable) or os.path.join(home, usual), "distren")


def read_json(path: str) -> Any:
    """Return a file's JSON; None if it is not there or damaged."""
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return None


def write_json(path: str, value: Any) -> None:
    """Write JSON so that nobody else can read it, and no half file is ever there."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=folder, prefix=".distren.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream, indent=1)
        os.replace(part, path)
    except OSError:
        os.unlink(part)
        raise
