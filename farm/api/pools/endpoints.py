"""Pools of slaves, and slaves' tags."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, status

from farm.api.dependencies import Admin, Db, Farm, User
from farm.api.jobs.parts import asker
from farm.jobs import pools
from farm.protocol.base import PersonName
from farm.protocol.pools import PoolView, PoolWish, SlaveTags
from farm.words.clock import now

router = APIRouter(prefix="/api", tags=["slaves"])
Name = Annotated[PersonName, Path()]


@router.get("/pools", summary="List pools")
async def list_pools(user: User, db: Db) -> list[PoolView]:
    """Return all pools, with their slaves and users."""
    return await db.read(pools.views)


@router.put("/pools/{name}", status_code=status.HTTP_204_NO_CONTENT, summary="Make or change a pool (admins)")
async def put_pool(name: Name, wish: PoolWish, admin: Admin, farm: Farm) -> None:
    """Let some slaves be for some users alone; on record."""
    who = asker(admin, farm.settings)
    await farm.database.write(partial(pools.put, admin=who, name=name, wish=wish, at=now()))


@router.delete("/pools/{name}", status_code=status.HTTP_204_NO_CONTENT, summary="Undo a pool (admins)")
async def remove_pool(name: Name, admin: Admin, farm: Farm) -> None:
    """Let a pool's slaves be for everybody again; on record."""
    await farm.database.write(partial(pools.remove, admin=asker(admin, farm.settings), name=name, at=now()))


@router.put("/slaves/{name}/tags", status_code=status.HTTP_204_NO_CONTENT, summary="Give a slave tags (admins)")
async def tag_slave(name: Name, wish: SlaveTags, admin: Admin, farm: Farm) -> None:
    """Give a slave tags that jobs may demand, beside its own; on record."""
    who = asker(admin, farm.settings)
    await farm.database.write(partial(pools.tag, admin=who, name=name, wish=wish, at=now()))
