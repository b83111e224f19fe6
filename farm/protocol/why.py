"""Why things are as they are, and admins' words on jobs."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from farm.protocol.base import Answer, Request


class Assignment(Answer):
    """A frame that a slave got, and why it was this one's turn."""

    attempt: int
    slave: str
    at: datetime
    state: str
    why: str


class WhyView(Answer):
    """Why a job or a frame waits, or is as it is; `assignments`: a frame's, each with its reason."""

    address: str
    state: str
    reasons: list[str]
    assignments: list[Assignment] = []


class Rush(Request):
    """An admin's word: this job comes before all others; with `hold_others`, these wait until it is done."""

    hold_others: bool = Field(False, description="Nothing else is rendered until the job has ended.")


class DeedView(Answer):
    """What a user did to another's job, to an account or a key, or an admin to the farm."""

    at: datetime
    user: str
    verb: str
    job: int | None
    detail: str
