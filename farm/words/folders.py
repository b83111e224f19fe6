"""Where programs of this product keep their things, by the custom of each system."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

Kind = Literal["config", "data", "cache", "state"]

_XDG: dict[Kind, tuple[str, str]] = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "data": ("XDG_DATA_HOME", ".local/share"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "state": ("XDG_STATE_HOME", ".local/state"),
}


def user_folder(kind: Kind) -> Path:
    """Return this user's folder for settings, data, cache or state. It need not exist yet."""
    if sys.platform == "win32":
        variable = "APPDATA" if kind == "config" else "LOCALAPPDATA"
        return Path(os.environ.get(variable) or Path.home() / "AppData") / "DistRen" / kind
    if sys.platform == "darwin":
        part = "Caches" if kind == "cache" else "Application Support"
        return Path.home() / "Library" / part / "DistRen" / kind
    variable, usual = _XDG[kind]
    return Path(os.environ.get(variable) or Path.home() / usual) / "distren"


def config_file(name: str) -> Path:
    """Return where a settings file is looked for: the user's, else the machine's if only that exists."""
    own = user_folder("config") / name
    machine = Path("/etc/distren") / name
    return machine if not own.exists() and machine.exists() else own
