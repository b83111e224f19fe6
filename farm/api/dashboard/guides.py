"""`/addon` and `/docs`: the add-on for Blender, and all requests of the server. Anyone may read them."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from farm.api import docspage
from farm.api.dashboard.rendering import here, page
from farm.package.addon import NAME

router = APIRouter()

_DROPPED = urlencode({"repository": "./index.json", "blender_version_min": "4.2.0"})
"""What Blender looks for when a link is dropped onto its window."""


@router.get("/addon")
async def addon(request: Request) -> Response:
    """Say how to install the add-on."""
    return page(request, "addon.html", url=here(request), name=NAME, dropped=_DROPPED)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Show the API's description to people; it works without the internet, and without a script."""
    schema = request.app.state.described()
    return page(request, "docs.html", shown=docspage.body(schema), of=schema["info"])
