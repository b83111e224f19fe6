"""Bring slaves up to date: order it, fetch the server's version, say how far it is."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response, status
from sqlalchemy.engine import Connection

from farm.accounts import slavekeys
from farm.accounts.identity import Identity
from farm.api.dependencies import Db, SlaveAsking, User
from farm.package.release import Release, release
from farm.protocol.upgrades import Upgrade, UpgradeView, UpgradeWord
from farm.scheduler import upgrades
from farm.words import clock
from farm.words.errors import NotFound

router = APIRouter(prefix="/api")

_WHEEL = "application/octet-stream"


@router.post("/slaves/{name}/upgrade", tags=["slaves"], summary="Bring it up to date")
async def upgrade(name: str, user: User, db: Db) -> UpgradeView:
    """Have a slave run this server's version of DistRen, as soon as it hears of it and has finished what it renders."""
    wanted = _as_ordered(await asyncio.to_thread(release))
    return await db.write(partial(_order, name=name, asker=user, wanted=wanted, at=clock.now()))


@router.get(
    "/slave/releases/{sha256}",
    tags=["slave protocol"],
    response_class=Response,
    responses={200: {"content": {_WHEEL: {}}}},
)
async def fetch_release(sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")], slave: SlaveAsking) -> Response:
    """Fetch this server's version of DistRen, a wheel."""
    ours = await asyncio.to_thread(release)
    if ours.sha256 != sha256:
        text = f"This server has another version by now: {ours.version} ({ours.build})."
        raise NotFound(text, hint="Order the upgrade anew: `distren slaves upgrade`.")
    return Response(ours.wheel, media_type=_WHEEL)


@router.post("/slave/upgrade", tags=["slave protocol"], status_code=status.HTTP_204_NO_CONTENT)
async def hear(word: UpgradeWord, slave: SlaveAsking, db: Db) -> None:
    """Say how far an upgrade is, or why it failed."""
    await db.write(partial(upgrades.hear, slave=slave.id, word=word, at=clock.now()))


def _order(conn: Connection, name: str, asker: Identity, wanted: Upgrade, at: int) -> UpgradeView:
    return upgrades.order(conn, slavekeys.own(conn, name, asker), wanted, asker.id, at)


def _as_ordered(ours: Release) -> Upgrade:
    return Upgrade(version=ours.version, build=ours.build, sha256=ours.sha256, size=len(ours.wheel))
