"""`/install/…whl`: the DistRen that this server runs, as pip installs it. Nobody needs a token for it."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from farm.package.release import NAME, release

router = APIRouter(tags=["server"])

PATH = f"/install/{NAME}"

_WHEEL = "application/octet-stream"


@router.head(PATH, include_in_schema=False)
@router.get(PATH, include_in_schema=False)
async def wheel() -> Response:
    """Fetch this server's version of DistRen: `pip install` takes its address."""
    ours = await asyncio.to_thread(release)
    headers = {"content-disposition": f'attachment; filename="{NAME}"', "x-content-type-options": "nosniff"}
    return Response(ours.wheel, media_type=_WHEEL, headers=headers)
