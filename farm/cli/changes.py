"""What `distren set` understands: `priority=70 frames+=251-300 slaves-=ws03`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from farm.protocol.jobs import JobChange
from farm.words import faults
from farm.words.errors import BadSetting
from farm.words.ranges import FrameRange

_PART = re.compile(r"([a-z-]+)(\+=|-=|=)(.*)", re.DOTALL)

MEMBERS = {
    "name=": "name",
    "priority=": "priority",
    "frames+=": "add_frames",
    "slaves+=": "add_slaves",
    "slaves-=": "remove_slaves",
    "max-slaves=": "max_slaves",
    "render-limit=": "render_seconds",
    "silence-limit=": "silence_seconds",
    "version=": "version",
    "newer=": "newer",
    "device=": "device",
    "tags=": "tags",
    "pool=": "pool",
    "project=": "project",
    "comment=": "comment",
}
"""What may be changed, and the member of :class:`JobChange` that it becomes."""


def parse_changes(parts: Iterable[str], *, confirmed: bool = False) -> JobChange:
    """Return the change that some `name=value` parts ask for.

    Args:
        parts: the words of the command line; lists have commas.
        confirmed: the person agreed to change another user's job.

    Raises:
        BadSetting: unknown, given twice, or a value that does not fit.
        BadFrameRange: `frames+=` is no frame range.
    """
    values: dict[str, Any] = {}
    for part in parts:
        member, value = _read(part)
        if member in values and not isinstance(value, list):
            raise BadSetting(f"“{part}”: this is set twice.")
        values[member] = [*values.get(member, []), *value] if isinstance(value, list) else value
    try:
        return JobChange(**values, confirmed=confirmed)
    except ValidationError as error:
        raise BadSetting(_objection(error)) from error


def _read(part: str) -> tuple[str, Any]:
    match = _PART.fullmatch(part)
    key = match.group(1) + match.group(2) if match else ""
    if not match or key not in MEMBERS:
        raise BadSetting(f"“{part}” can't be set.", hint=f"Write one of {' '.join(MEMBERS)} and a value.")
    member, text = MEMBERS[key], match.group(3)
    if member == "add_frames":
        return member, str(FrameRange.pictures(text))
    if member == "tags" or (member.endswith("_slaves") and member != "max_slaves"):
        return member, [name.strip() for name in text.split(",") if name.strip()]
    return member, text


def _objection(error: ValidationError) -> str:
    first = error.errors()[0]
    member = str(first["loc"][0])
    key = next(key for key, name in MEMBERS.items() if name == member)
    return f"“{key}{first['input']}”: {faults.in_words(first)}."
