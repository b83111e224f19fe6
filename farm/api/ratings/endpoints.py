"""`/api/slaves/{name}/benchmark`: measure a slave, and see what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from fastapi import APIRouter, status
from sqlalchemy.engine import Connection

from farm.accounts import slavekeys
from farm.accounts.identity import Identity
from farm.api.dependencies import Db, Farm, User
from farm.api.jobs.parts import asker, methods, rules
from farm.api.services import Services
from farm.files.store import take_in
from farm.jobs import control, files, ratings
from farm.jobs.submission import queue, submit
from farm.peers.dependencies import asking
from farm.protocol.jobs import Submission
from farm.protocol.points import RatingView
from farm.words.clock import now

router = APIRouter(prefix="/api/slaves", tags=["slaves"])


@router.post("/{name}/benchmark", status_code=status.HTTP_201_CREATED, summary="Measure a slave")
async def measure(name: str, farm: Farm, user: User) -> list[RatingView]:
    """Have a slave of yours render our own scenes, as jobs of yours: one for each renderer that there is a scene for.

    Which frames, is drawn by lot. Its rating is there as soon as these jobs are done.
    """
    slave = await farm.database.read(partial(slavekeys.own, name=name, asker=user))
    scenes = await farm.database.read(partial(ratings.scenes_for, slave=slave, strangers=farm.policy.strangers))
    for place, (method, frames) in enumerate(scenes):
        await _begin(farm, user, slave, method, ratings.submission(name, method, frames, later=place > 0))
    return list(await farm.database.read(partial(ratings.views, slave=slave)))


@router.get("/{name}/benchmark", summary="What a slave was measured at")
async def measured(name: str, user: User, db: Db) -> list[RatingView]:
    """List a slave's ratings, newest first."""
    slave = await db.read(partial(slavekeys.own, name=name, asker=user))
    return list(await db.read(partial(ratings.views, slave=slave)))


async def _begin(farm: Services, user: Identity, slave: int, method: str, wish: Submission) -> None:
    stored = await take_in(farm.store, _pieces(ratings.scene_of(method).path))
    who, limits = asker(user, farm.settings), rules(farm.settings)
    await farm.database.write(partial(files.received, user=user.id, sha256=stored.sha256, size=stored.size, at=now()))
    elsewhere = asking(farm.peering, user)
    made = await submit(farm.database, who, wish, methods(), limits, farm.name, now(), elsewhere)

    def write(conn: Connection) -> None:
        queue(conn, who, made.job, now())
        ratings.begin(conn, made.job, slave, method, now())

    await farm.database.write(write)
    await control.finished(farm.database, made.job)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    yield await asyncio.to_thread(path.read_bytes)
