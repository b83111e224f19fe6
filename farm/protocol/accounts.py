"""Users, logins, invites."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr

from farm.protocol.base import Answer, Label, PersonName, Request

Passphrase = Annotated[SecretStr, Field(min_length=8, max_length=1000)]
"""At least 8 characters; never logged."""


class Role(StrEnum):
    """What a user may do."""

    USER = "user"
    """Their own jobs and slaves; in profile `studio` also other users' jobs."""
    ADMIN = "admin"
    """Everything."""


class Registration(StrEnum):
    """Who may register."""

    INVITE = "invite"
    """Whoever has a code that an admin made."""
    OPEN = "open"
    """Everybody who reaches the server."""
    CLOSED = "closed"
    """Nobody."""


class Profile(StrEnum):
    """What the users of a server are to each other."""

    STUDIO = "studio"
    """One team: everyone sees, fetches, pauses and retries all jobs."""
    OPEN = "open"
    """Strangers: users see and touch only their own."""


class Register(Request):
    """Make an account; `invite` is an admin's code, or the setup code of a new server."""

    name: PersonName
    passphrase: Passphrase
    invite: Label = ""
    device: Label = ""


class LogIn(Request):
    """Get a token for an account; `device` is shown beside the login."""

    name: PersonName
    passphrase: Passphrase
    device: Label = ""


class UserView(Answer):
    """A user, as others see them."""

    name: str
    role: Role
    created: datetime
    stored_bytes: int = 0
    quota_bytes: int = 0
    disabled: bool = False


class LoginGranted(Answer):
    """A token, shown once. It lasts 180 days from its last use."""

    token: str
    user: UserView
    server: str


class MakeInvite(Request):
    """Make an invite code (admins)."""

    uses: int = Field(1, ge=1, le=1000)
    days: float = Field(7, gt=0, le=365)
    role: Role = Role.USER


class ChangePassphrase(Request):
    """Choose a new passphrase; all other logins end."""

    old: Passphrase
    new: Passphrase


class RecoveryMade(Answer):
    """A code by which a user may choose a new passphrase once, shown once."""

    user: str
    code: str
    expires: datetime


class Recover(Request):
    """Choose a new passphrase by an admin's code; all logins end."""

    name: PersonName
    code: Label
    passphrase: Passphrase
    device: Label = ""


class Standing(Request):
    """Keep a user out, or let them in again (admins)."""

    disabled: bool


class Quota(Request):
    """How much a user may keep stored, files and pictures (admins)."""

    bytes: int = Field(ge=0, le=2**62)


class InviteMade(Answer):
    """An invite code, shown once."""

    code: str
    uses: int
    expires: datetime
    role: Role


class ServerInfo(Answer):
    """What anyone may know of a server."""

    name: str
    version: str
    profile: Profile
    registration: Registration
    methods: list[str]
