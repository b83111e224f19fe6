"""The render methods and their declared settings."""

from __future__ import annotations

from fastapi import APIRouter

from farm.api.dependencies import User
from farm.methods.registry import METHODS
from farm.protocol.methods import MethodDescription

router = APIRouter(tags=["methods"])


@router.get("/api/methods", summary="Render methods and their settings")
async def methods(_user: User) -> list[MethodDescription]:
    """Return every render method with types, units, limits and defaults of its settings."""
    return [METHODS[name].describe() for name in sorted(METHODS)]
