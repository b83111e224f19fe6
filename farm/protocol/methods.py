"""What a render method says of itself: its settings, from which CLI, add-on and dashboard build theirs."""

from __future__ import annotations

from typing import Any, Literal

from farm.protocol.base import Answer


class SettingDescription(Answer):
    """One declared setting of a method.

    `minimum` and `maximum` are in `unit`; `choices` closes the list of values;
    `default` None means: as the source file says. `follows`: if nobody gives it, the server
    fills in the job's first or last frame, as they were at the submission.
    """

    name: str
    title: str
    type: Literal["integer", "number", "boolean", "text", "choice"]
    help: str
    unit: str = ""
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] = []
    follows: Literal["", "first_frame", "last_frame"] = ""


class MethodDescription(Answer):
    """One render method."""

    name: str
    title: str
    help: str
    source_suffixes: list[str]
    settings: list[SettingDescription]
