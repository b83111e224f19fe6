"""`/api/slaves/{name}/benchmark`: measure a slave, and see what came of it."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, status

from farm.accounts import slavekeys
from farm.api.dependencies import Db, Farm, User
from farm.api.jobs.parts import asker
from farm.api.ratings.place import place
from farm.jobs import benchmarks, ratings
from farm.protocol.points import RatingView
from farm.words.clock import now

router = APIRouter(prefix="/api/slaves", tags=["slaves"])


@router.post("/{name}/benchmark", status_code=status.HTTP_201_CREATED, summary="Measure a slave")
async def measure(name: str, farm: Farm, user: User) -> list[RatingView]:
    """Have a slave of yours render our own scenes, as jobs of yours: one for each renderer that there is a scene for.

    Which frames, is drawn by lot. Its rating is there as soon as these jobs are done.
    """
    slave = await farm.database.read(partial(slavekeys.own, name=name, asker=user))
    here = place(farm)
    for bench in await farm.database.read(partial(benchmarks.asked_for, slave=slave, strangers=here.strangers)):
        await benchmarks.make(here, asker(user, farm.settings), bench, now())
    return list(await farm.database.read(partial(ratings.views, slave=slave)))


@router.get("/{name}/benchmark", summary="What a slave was measured at")
async def measured(name: str, user: User, db: Db) -> list[RatingView]:
    """List a slave's ratings, newest first."""
    slave = await db.read(partial(slavekeys.own, name=name, asker=user))
    return list(await db.read(partial(ratings.views, slave=slave)))
