"""What a render method says of itself: its settings, from which CLI, add-on and dashboard build theirs."""

from __future__ import annotations

from typing import Any, Literal

from farm.protocol.base import Answer


class SettingDescription(Answer):
    """One declared setting of a method.

    `declarations` are lines `NAME=VALUE`, where the value is a number or a text in quotes; a table will do, too.
    `minimum` and `maximum` are in `unit`; `choices` closes the list of values;
    `whole`: it is the same for all frames of a job, so no parameter set has it.
    `default` None means: as the source file says. `follows`: if nobody gives it, the server
    fills in the job's first or last frame, as they were at the submission.
    """

    name: str
    title: str
    type: Literal["integer", "number", "boolean", "text", "choice", "declarations"]
    help: str
    unit: str = ""
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] = []
    whole: bool = False
    follows: Literal["", "first_frame", "last_frame"] = ""


class MethodDescription(Answer):
    """One render method.

    `paths`: properties of the source that can be set beside the settings, each a path; `*` stands for one name.
    `combines`: it renders nothing itself, but combines files of the frames that its frames wait for.
    """

    name: str
    title: str
    help: str
    source_suffixes: list[str]
    paths: list[str] = []
    combines: bool = False
    settings: list[SettingDescription]
