"""Other versions of DistRen: copies of this one, with another number and what is changed in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import farm
from farm import __version__
from farm.package.release import PACKAGES

HOME = Path(farm.__file__).parent.parent


def other(folder: Path, version: str, file: str = "", old: str = "", new: str = "") -> Path:
    """Return a folder with another version.

    Args:
        folder: where it is made.
        version: what it calls itself.
        file: one of its files that differs, too.
        old: what is replaced in it.
        new: by what.
    """
    made = folder / version
    for package in PACKAGES:
        shutil.copytree(HOME / package, made / package, ignore=shutil.ignore_patterns("__pycache__"))
    replace(made / "farm" / "__init__.py", __version__, version)
    if file:
        replace(made / file, old, new)
    return made


def replace(path: Path, old: str, new: str) -> None:
    """Replace what is there once."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1, path
    path.write_text(text.replace(old, new), "utf-8")
