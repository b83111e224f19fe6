"""Parameter sets: which settings a frame is rendered with, and which sets a job can't have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from farm.methods.declarations import joined
from farm.methods.settings import checked_settings
from farm.package.paths import checked
from farm.protocol.jobs import ParameterSet
from farm.protocol.methods import MethodDescription
from farm.words.errors import BadFrameRange, BadSetting, UnsafePackage
from farm.words.ranges import FrameRange


def checked_sets(description: MethodDescription, sets: Sequence[ParameterSet], where: str = "") -> list[ParameterSet]:
    """Return sets with their settings in their declared types.

    Args:
        description: the method's.
        sets: as somebody wrote them.
        where: the file that they are from, for messages.

    Raises:
        BadSetting: a name comes twice, or a setting is unknown, wrong, or one of the whole job; says in which set.
    """
    seen: set[str] = set()
    found = []
    for one in sets:
        try:
            _nameable(one, seen)
            found.append(one.model_copy(update={"settings": _settings(description, one)}))
        except (BadSetting, BadFrameRange) as error:
            raise BadSetting(": ".join(filter(None, (where, title(one), error.message))), hint=error.hint) from error
    return found


def title(one: ParameterSet) -> str:
    """Return what a set is called in messages."""
    return f"set “{one.name}”" if one.name else f"frames {one.frames or '?'}"


def merged(
    description: MethodDescription, settings: dict[str, Any], sets: Sequence[ParameterSet], name: str, picture: int
) -> dict[str, Any]:
    """Return the settings that a picture is rendered with.

    Args:
        description: the method's: declarations are joined, all else is replaced.
        settings: the job's.
        sets: the job's.
        name: the set that the frame is of; empty: of none.
        picture: the renderer's number.
    """
    lines = {setting.name for setting in description.settings if setting.type == "declarations"}
    result = dict(settings)
    for one in _that_count(sets, name, picture):
        for key, value in one.settings.items():
            result[key] = joined(str(result.get(key) or ""), value) if key in lines else value
    return result


def _that_count(sets: Sequence[ParameterSet], name: str, picture: int) -> Iterator[ParameterSet]:
    yield from (one for one in sets if one.name and one.name == name)
    yield from (one for one in sets if not one.name and one.frames and picture in _pictures(one.frames))


@lru_cache(maxsize=1000)
def _pictures(text: str) -> FrameRange:
    return FrameRange.pictures(text)


def _nameable(one: ParameterSet, seen: set[str]) -> None:
    if one.frames is not None:
        FrameRange.pictures(one.frames)
    if not one.name:
        if one.frames is None:
            raise BadSetting("It has neither a name nor frames.")
        return
    try:
        checked(one.name)
    except UnsafePackage as error:
        raise BadSetting(f"It can't be a folder's name: {error.message}") from error
    if one.name.casefold() in seen:
        raise BadSetting("There are two of this name.", hint="Folders can't differ by case only.")
    seen.add(one.name.casefold())


def _settings(description: MethodDescription, one: ParameterSet) -> dict[str, Any]:
    whole = {setting.name for setting in description.settings if setting.whole or setting.follows}
    for name in sorted(whole & set(one.settings)):
        raise BadSetting(f"“{name}” is the same for all frames of a job.", hint="Make a job of its own for it.")
    return checked_settings(description, one.settings)
