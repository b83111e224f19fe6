"""Notifications: where a user wants to hear of what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from farm.protocol.base import Answer, Request
from farm.words.notices import About, Way

_MAIL = r"[^@\s,;<>]+@[^@\s,;<>]+"
_WEB = r"https?://\S+"

Choice = Literal[About.DONE, About.FAILED, About.ATTENTION, About.SLAVE]


class MakeNotification(Request):
    """Hear of something: by an e-mail to an address, or by a POST to a webhook's."""

    way: Way
    address: Annotated[str, Field(max_length=1000, pattern=f"^({_MAIL}|{_WEB})$")]
    about: Annotated[list[Choice], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _address_fits(self) -> MakeNotification:
        if self.address.startswith(("http://", "https://")) is (self.way is Way.MAIL):
            raise ValueError("a mail goes to an e-mail address, all others to one that begins with https://")
        return self


class NotificationView(Answer):
    """A notification that a user asked for.

    `secret` signs what a webhook gets. `said`: how the last try went; `pending`: what is still to be said.
    """

    id: int
    way: Way
    address: str
    about: list[About]
    secret: str
    said: str
    tried: datetime | None
    pending: int
