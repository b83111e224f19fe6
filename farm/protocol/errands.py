"""Errands: what a person has a slave do from afar, and what the slave says of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from farm.protocol.base import Answer, Request
from farm.words.errands import TEXT, Errand

LONGEST_REST = 7 * 86_400.0
"""Seconds."""


class Load(Request):
    """What a slave's machine is busy with: `cpu` is the part of its processors that works; sizes in bytes.

    `disk_bytes` and `disk_free` are of the disk that frames are rendered on; `cache_bytes`: jobs' files that are kept.
    """

    cpu: float = Field(0, ge=0, le=1)
    memory_used: int = Field(0, ge=0, le=2**62)
    disk_bytes: int = Field(0, ge=0, le=2**62)
    disk_free: int = Field(0, ge=0, le=2**62)
    cache_bytes: int = Field(0, ge=0, le=2**62)


class SendErrand(Request):
    """Have a slave do something. `seconds`: for how long it rests."""

    errand: Errand
    seconds: float = Field(3600, gt=0, le=LONGEST_REST)


class ErrandOrder(Answer):
    """What a slave is to do now; told again until it says that it is over, or a newer one takes its place."""

    number: int
    errand: Errand
    seconds: float = 0


class ErrandWord(Request):
    """How far a slave is with an errand; `message` in a sentence, `text` what it shows (the end of its log)."""

    number: int = Field(ge=0, le=2**62)
    stage: Literal["begun", "done", "failed"]
    message: Annotated[str, Field(max_length=1000)] = ""
    text: Annotated[str, Field(max_length=TEXT)] = ""


class ErrandView(Answer):
    """An errand, as people see it.

    `stage`: `ordered`, `begun`, `done`, `failed`, or `replaced` by a newer one. `shows`: it has a text.
    """

    number: int
    errand: Errand
    by: str
    stage: Literal["ordered", "begun", "done", "failed", "replaced"]
    message: str
    at: datetime
    said: datetime | None
    shows: bool


class ErrandText(Answer):
    """What a slave shows: the end of its log."""

    text: str
