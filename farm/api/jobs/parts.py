"""What the endpoints of jobs hand on: who asks, and within which limits."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from fastapi import Path

from farm.accounts.identity import Identity
from farm.jobs.access import Asker
from farm.jobs.checks import Methods
from farm.jobs.rules import Rules
from farm.methods.registry import METHODS
from farm.words.settings import ServerSettings

Number = Annotated[int, Path(ge=0, le=2**62)]
"""A number in an address; larger ones don't fit into the database."""


def asker(user: Identity, settings: ServerSettings) -> Asker:
    """Return who asks, as the jobs room sees them."""
    studio = user.in_team(settings.profile)
    return Asker(user.id, user.name, admin=user.is_admin, studio=studio, guest=bool(user.peer))


def rules(settings: ServerSettings) -> Rules:
    """Return the server's limits."""
    return Rules(
        file_bytes=settings.file_limit,
        result_bytes=settings.result_limit,
        grace=settings.unused_hours * 3600,
    )


@cache
def methods() -> Methods:
    """Return the descriptions of all render methods."""
    return {name: method.describe() for name, method in METHODS.items()}
