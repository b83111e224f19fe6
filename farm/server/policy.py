"""The scheduler's numbers, from the server's settings."""

from __future__ import annotations

from dataclasses import fields

from farm.scheduler.policy import Policy
from farm.words.settings import ServerSettings


def policy_of(settings: ServerSettings) -> Policy:
    """Return the scheduler's policy; what settings don't name keeps its default."""
    named = {field.name for field in fields(Policy)}
    same = {name: value for name, value in settings.model_dump().items() if name in named}
    return Policy(**same, receiving_seconds=settings.receiving_hours * 3600, strangers=settings.profile == "open")
