"""`/api/slaves/{name}/terms`: what an owner lends of a slave, and to whom."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.accounts import deeds, lending, slavekeys
from farm.accounts.identity import Identity
from farm.api.dependencies import Db, User
from farm.database.schema import slaves
from farm.protocol.terms import Terms
from farm.words.clock import now

router = APIRouter(prefix="/api/slaves", tags=["slaves"])


@router.get("/{name}/terms", summary="What its owner lends of it")
async def terms(name: str, user: User, db: Db) -> Terms:
    """Return what was said of a slave of yours here; `slave.conf` may say less."""
    return await db.read(partial(_read, name=name, asker=user))


@router.put("/{name}/terms", summary="Say what is lent of it")
async def say(name: str, wish: Terms, user: User, db: Db) -> Terms:
    """Lend a slave of yours on these terms from its next frames on; what it has begun it may finish."""
    await db.write(partial(_say, name=name, asker=user, wish=wish, at=now()))
    return wish


def _read(conn: Connection, name: str, asker: Identity) -> Terms:
    slave = slavekeys.own(conn, name, asker)
    return lending.terms(conn.execute(select(slaves.c.terms).where(slaves.c.id == slave)).scalar_one())


def _say(conn: Connection, name: str, asker: Identity, wish: Terms, at: int) -> None:
    lending.say(conn, slavekeys.own(conn, name, asker), wish, at)
    deeds.note(conn, asker.id, "slave's terms", at=at, detail=name)
