"""How machines join: slave keys, and codes by which many join."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from farm.protocol.base import Answer, Label, PersonName, Request


class MakeSlaveKey(Request):
    """Make the key of a new slave, or a new password for one's own."""

    name: PersonName


class SlaveKeyMade(Answer):
    """A slave key and its password, shown once."""

    name: str
    key: str
    password: str


class MakeJoinCode(Request):
    """Make a code by which machines join (admins).

    Args:
        machines: how many may join with it.
        hours: for how long.
        address: the server's address as those machines reach it; empty: as the server knows it.
    """

    machines: int = Field(1, ge=1, le=1000)
    hours: float = Field(24, gt=0, le=24 * 31)
    address: Label = ""


class JoinCodeView(Answer):
    """A join code as it can be seen afterwards. `name`: its first letters; `machines`: how many may still join."""

    name: str
    owner: str
    machines: int
    expires: datetime


class JoinCodeMade(JoinCodeView):
    """A join code, shown once: secret, server address and the fingerprint of its certificate in one word."""

    code: str


class Join(Request):
    """Join as a new slave; `secret` is the code's, up to its `@`. `name`: the wish; another machine may have it."""

    secret: Annotated[SecretStr, Field(max_length=200)]
    name: PersonName


class Joined(SlaveKeyMade):
    """A new slave's key and password, shown once; the server's name, and whose slave it is."""

    server: str
    owner: str
