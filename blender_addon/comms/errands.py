"""Which jobs' pictures are still to come home, kept in a file: Blender may be closed meanwhile."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from .folders import read_json, user_folder, write_json

MOST = 200
"""Errands that are kept."""


@dataclass(frozen=True)
class Errand:
    """Pictures of a job that are to come to a folder as they finish.

    Args:
        replace: what lies there and differs.
        keep: move what lies there and differs into a folder `former` beside, then replace it.
        previews: of OpenEXR files, bring only small previews, into a folder `previews`.
        homes: where folders among a frame's files belong on this machine: pairs of folder and home.
    """

    server: str
    job: int
    folder: str
    replace: bool = False
    keep: bool = False
    previews: bool = False
    homes: tuple[tuple[str, str], ...] = ()


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
            found.append(errand_of(entry))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def errand_of(entry: dict[str, Any]) -> Errand:
    """Return an errand that was written down.

    Raises:
        KeyError, TypeError, ValueError: it is damaged.
    """
    homes = tuple((str(folder), str(home)) for folder, home in entry.get("homes", ()))
    flags = {name: bool(entry.get(name)) for name in ("replace", "keep", "previews")}
    return Errand(str(entry["server"]), int(entry["job"]), str(entry["folder"]), homes=homes, **flags)


def _write(errands: list[Errand]) -> None:
    write_json(file(), [asdict(errand) for errand in errands[-MOST:]])
