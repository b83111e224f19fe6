"""Which jobs' pictures are still to come home, kept in a file: Blender may be closed meanwhile."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from .bringing import Errand
from .folders import read_json, user_folder, write_json

MOST = 200
"""Errands that are kept."""


def file() -> str:
    """Return the path of the notes."""
    return os.path.join(user_folder("state"), "addon-errands.json")


def load(server: str) -> list[Errand]:
    """Return the errands at a server."""
    return [errand for errand in _all() if errand.server == server]


def note(errand: Errand) -> None:
    """Keep an errand; it takes the place of an earlier one for the same job."""
    _write([*_without(errand.server, errand.job), errand])


def forget(server: str, job: int) -> None:
    """Forget the errand for a job."""
    _write(_without(server, job))


def _without(server: str, job: int) -> list[Errand]:
    return [errand for errand in _all() if (errand.server, errand.job) != (server, job)]


def _all() -> list[Errand]:
    known = read_json(file())
    found = []
    for entry in known if isinstance(known, list) else ():
        try:
            found.append(_errand(entry))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def _errand(entry: dict[str, Any]) -> Errand:
    homes = tuple((str(folder), str(home)) for folder, home in entry.get("homes", ()))
    flags = {name: bool(entry.get(name)) for name in ("replace", "keep", "previews")}
    return Errand(str(entry["server"]), int(entry["job"]), str(entry["folder"]), homes=homes, **flags)


def _write(errands: list[Errand]) -> None:
    write_json(file(), [asdict(errand) for errand in errands[-MOST:]])
