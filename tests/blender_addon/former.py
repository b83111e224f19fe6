"""The add-on as it was before: what an artist may still have."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from farm import __version__
from farm.package.addon import addon

FORMER = "0.0.1"


def former(path: Path) -> None:
    """Write a zip of a former version."""
    with zipfile.ZipFile(io.BytesIO(addon().zip)) as ours, zipfile.ZipFile(path, "w") as older:
        for name in ours.namelist():
            text = ours.read(name)
            older.writestr(name, text.replace(__version__.encode(), FORMER.encode()) if _told(name) else text)


def _told(name: str) -> bool:
    """Tell whether a file says the version."""
    return name.endswith(("blender_manifest.toml", "/version.py", "distren/__init__.py"))
