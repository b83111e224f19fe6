"""Slaves: make keys, list, pause, resume, retire."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, status
from sqlalchemy.engine import Connection

from farm.accounts import deeds, logins, slavekeys, slaveviews
from farm.accounts.identity import Identity
from farm.api.dependencies import Db, Farm, User
from farm.protocol.slaves import MakeSlaveKey, SlaveKeyMade, SlaveView
from farm.scheduler import slaves as scheduler
from farm.words import clock

router = APIRouter(prefix="/api/slaves", tags=["slaves"])


@router.post("", status_code=status.HTTP_201_CREATED, summary="Make a slave key")
async def make_key(wish: MakeSlaveKey, user: User, farm: Farm) -> SlaveKeyMade:
    """Make a slave, or a new password for one's own; key and password are shown this once."""
    made = await farm.database.write(partial(slavekeys.make, name=wish.name, owner=user, at=clock.now()))
    slave = await farm.database.read(partial(slavekeys.own, name=wish.name, asker=user))
    farm.authenticator.forget_slave(slave)
    return made


@router.get("", summary="List slaves")
async def slaves(user: User, farm: Farm) -> list[SlaveView]:
    """Return all slaves; in profile `open` only the user's own."""
    everyone = user.is_admin or farm.settings.profile == "studio"
    owner = None if everyone else user.id
    return await farm.database.read(partial(slaveviews.views, server=farm.name, owner=owner))


@router.post("/{name}/pause", status_code=status.HTTP_204_NO_CONTENT, summary="Give it no new leases")
async def pause(name: str, user: User, db: Db) -> None:
    """Let a slave finish what runs and give it nothing new."""
    await db.write(partial(_steer, name=name, asker=user, verb="pause", act=scheduler.pause, at=clock.now()))


@router.post("/{name}/resume", status_code=status.HTTP_204_NO_CONTENT, summary="Give it leases again")
async def resume(name: str, user: User, db: Db) -> None:
    """Give a paused or sick slave leases again."""
    await db.write(partial(_steer, name=name, asker=user, verb="resume", act=scheduler.resume, at=clock.now()))


@router.delete("/{name}", status_code=status.HTTP_204_NO_CONTENT, summary="Void its key")
async def retire(name: str, user: User, farm: Farm) -> None:
    """Void a slave's key and give its frames to others."""
    slave = await farm.database.write(
        partial(_steer, name=name, asker=user, verb="retire", act=scheduler.retire, at=clock.now())
    )
    farm.authenticator.forget_slave(slave)


def _steer(
    conn: Connection, name: str, asker: Identity, verb: str, act: Callable[[Connection, int, int], None], at: int
) -> int:
    slave = slavekeys.own(conn, name, asker)
    act(conn, slave, at)
    if verb == "retire":
        logins.revoke_slave(conn, slave)
    deeds.note(conn, asker.id, f"{verb} slave", at=at, detail=name)
    return slave
