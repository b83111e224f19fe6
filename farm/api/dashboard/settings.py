"""`/settings`: what is in force on this server, and where it came from. For admins."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from farm.api.dashboard.rendering import page
from farm.api.dependencies import Admin, Farm
from farm.words.origins import file_of, origins
from farm.words.settings import ServerSettings

router = APIRouter()


@router.get("/settings")
async def settings(request: Request, admin: Admin, farm: Farm) -> Response:
    """Show the server's settings."""
    file = file_of(ServerSettings)
    return page(request, "settings.html", settings=origins(farm.settings, file), file=file, there=file.is_file())
