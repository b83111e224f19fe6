"""The add-on that fits this server. Nobody needs a token to install it; the dashboard's `/addon` says how."""

from __future__ import annotations

from fastapi import APIRouter, Response

from farm.package.addon import NAME, addon

router = APIRouter(tags=["server"])

_ZIP = "application/zip"
_LISTING = "application/json"


@router.head("/addon.zip", include_in_schema=False)
@router.get("/addon.zip", response_class=Response, responses={200: {"content": {_ZIP: {}}}})
async def addon_zip() -> Response:
    """Fetch the add-on for Blender: an extension for 4.2 and newer, a classic add-on for older ones."""
    headers = {"content-disposition": f'attachment; filename="{NAME}"'}
    return Response(addon().zip, media_type=_ZIP, headers=headers)


@router.head(f"/addon/{NAME}", include_in_schema=False)
@router.get(f"/addon/{NAME}", include_in_schema=False)
async def named_zip() -> Response:
    """Fetch the add-on by the name that the listing says."""
    return await addon_zip()


@router.head("/addon/index.json", include_in_schema=False)
@router.get("/addon/index.json", response_class=Response, responses={200: {"content": {_LISTING: {}}}})
async def listing() -> Response:
    """Return the listing of an extensions repository, by which Blender keeps the add-on current."""
    return Response(addon().index, media_type=_LISTING)
