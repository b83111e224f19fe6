"""`/api/doubts`: frames that others drew otherwise, where an admin has to say who is right."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response, status

from farm.api.dependencies import Admin, Db, Farm
from farm.api.jobs.parts import Number
from farm.api.services import Services
from farm.jobs import doubts
from farm.protocol.doubts import BuildsTrusted, DoubtView
from farm.words.clock import now
from farm.words.errors import FileNotHere

router = APIRouter(prefix="/api/doubts", tags=["slaves"])

_HEADERS = {"cache-control": "private, max-age=300", "x-content-type-options": "nosniff"}
_WEBP: dict[int | str, dict[str, Any]] = {200: {"content": {"image/webp": {}}}}


@router.get("", summary="What is in doubt (admins)")
async def see(admin: Admin, farm: Farm, slave: str = "") -> list[DoubtView]:
    """List frames that others drew otherwise, newest first; `slave`: of one slave only."""
    return await farm.database.read(partial(doubts.views, server=farm.name, slave=slave))


@router.get("/{attempt}/checked", response_class=Response, responses=_WEBP, summary="What it drew (admins)")
async def checked(attempt: Number, admin: Admin, farm: Farm) -> Response:
    """Show what was compared of the slave's picture, as WebP: a tile, or all of it."""
    return await _shown(farm, attempt, "checked")


@router.get("/{attempt}/other", response_class=Response, responses=_WEBP, summary="What others drew (admins)")
async def other(attempt: Number, admin: Admin, farm: Farm) -> Response:
    """Show the same of what another slave drew."""
    return await _shown(farm, attempt, "other")


@router.post("/{name}/trust", summary="Trust a slave's build (admins)")
async def trust(name: str, admin: Admin, db: Db) -> BuildsTrusted:
    """Trust the builds by which a slave drew what is in doubt, on the machines of its owner; on record."""
    return BuildsTrusted(builds=await db.write(partial(doubts.trust, slave=name, admin=admin.id, at=now())))


@router.delete("/{name}/trust", summary="Trust it no more (admins)")
async def distrust(name: str, admin: Admin, db: Db) -> BuildsTrusted:
    """Trust no builds any more on the machines of a slave's owner; return those that were trusted. On record."""
    return BuildsTrusted(builds=await db.write(partial(doubts.distrust, slave=name, admin=admin.id, at=now())))


@router.post("/{name}/convict", status_code=status.HTTP_204_NO_CONTENT, summary="Say that it is false (admins)")
async def convict(name: str, admin: Admin, db: Db) -> None:
    """Retire a slave, take back what it earned unchecked, and have that rendered again; on record."""
    await db.write(partial(doubts.convict, slave=name, admin=admin.id, at=now()))


async def _shown(farm: Services, attempt: int, which: str) -> Response:
    sha256, tile = await farm.database.read(partial(doubts.picture, attempt=attempt, which=which))
    if await asyncio.to_thread(farm.store.size, sha256) is None:
        raise FileNotHere("This picture is not here any more.")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "part.webp")
        facts = await farm.viewer.shown(await asyncio.to_thread(farm.store.local, sha256), tile, target)
        if not facts.ok:
            raise FileNotHere(facts.message, hint="Download the frame, and open it in an image viewer.")
        return Response(await asyncio.to_thread(target.read_bytes), media_type="image/webp", headers=_HEADERS)
