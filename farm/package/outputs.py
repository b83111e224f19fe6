"""Which folders among a frame's files stand for which folders at the artist's desk."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from farm.package.paths import checked
from farm.words.errors import BadSetting, UnsafePackage

SETTING = "outputs"
"""The job's setting that says it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that pictures are written to.

    Args:
        path: as the file names it, with a slash at its end.
        folder: among the files of a frame; empty: directly there.
        home: the folder on the machine that submitted the job; empty: nobody knows.
    """

    path: str
    folder: str
    home: str


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a job's pictures belong. `video`: the format of the file's output, if that is a video."""

    places: tuple[Place, ...] = ()
    video: str = ""

    def setting(self) -> str:
        """Return the value of the setting; empty if there is nothing to say."""
        facts: dict[str, Any] = {"places": [asdict(place) for place in self.places]} if self.places else {}
        facts |= {"video": self.video} if self.video else {}
        return json.dumps(facts) if facts else ""

    def home(self, name: str, sets: Collection[str] = ()) -> tuple[str, str] | None:
        """Return the folder at home of one of a frame's files, and the file's path below it; None: nobody knows.

        Args:
            name: the file's; that of a parameter set's frame begins with the set's.
            sets: the names of the job's parameter sets; each gets a folder at home, too.
        """
        own, _, rest = name.partition("/")
        below, name = (f"{own}/", rest) if own in sets else ("", name)
        for place in sorted(self.places, key=lambda place: -len(place.folder)):
            if place.home and (not place.folder or name.startswith(f"{place.folder}/")):
                return place.home, below + name[len(place.folder) :].lstrip("/")
        return None

    def here(self) -> Outputs:
        """Return it with those places only whose home is a folder of this kind of machine."""
        return replace(self, places=tuple(place for place in self.places if Path(place.home).is_absolute()))


def read_outputs(settings: Mapping[str, Any]) -> Outputs:
    """Return what a job's settings say of it.

    Raises:
        BadSetting: the setting is not of this form, or names a folder outside of a frame's.
    """
    text = settings.get(SETTING)
    if not text:
        return Outputs()
    try:
        facts = json.loads(text)
        return Outputs(_places(facts.get("places", [])), str(facts.get("video", "")))
    except (ValueError, AttributeError, TypeError, KeyError, UnsafePackage) as error:
        raise BadSetting(f"The setting {SETTING} is no JSON object of places.") from error


def _places(told: Sequence[Mapping[str, Any]]) -> tuple[Place, ...]:
    places = tuple(Place(str(p["path"]), str(p["folder"]), str(p["home"])) for p in told)
    for place in places:
        if place.folder:
            checked(place.folder)
    return places
