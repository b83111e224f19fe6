"""Errands of slaves: send one, see how it went, read what was shown."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, status
from sqlalchemy.engine import Connection

from farm.accounts import slavekeys
from farm.accounts.identity import Identity
from farm.api.dependencies import Db, SlaveAsking, User
from farm.protocol.errands import ErrandText, ErrandView, ErrandWord, SendErrand
from farm.scheduler import errands
from farm.words import clock

router = APIRouter(prefix="/api")

Number = Annotated[int, Path(ge=0, le=2**62)]


@router.post("/slaves/{name}/errands", tags=["slaves"], status_code=status.HTTP_201_CREATED)
async def send(name: str, wish: SendErrand, user: User, db: Db) -> ErrandView:
    """Have a slave restart, stop, rest, render a test frame or show its log; the newest errand counts."""
    return await db.write(partial(_send, name=name, asker=user, wish=wish, at=clock.now()))


@router.get("/slaves/{name}/errands", tags=["slaves"])
async def errands_of(name: str, user: User, db: Db) -> list[ErrandView]:
    """Return what a slave was asked to do last, and how that went; for its owner and admins."""

    def read(conn: Connection) -> list[ErrandView]:
        return errands.views(conn, slavekeys.own(conn, name, user))

    return await db.read(read)


@router.get("/slaves/{name}/errands/{number}/text", tags=["slaves"])
async def shown(name: str, number: Number, user: User, db: Db) -> ErrandText:
    """Return what a slave showed: the end of its log."""

    def read(conn: Connection) -> ErrandText:
        return ErrandText(text=errands.text(conn, slavekeys.own(conn, name, user), number))

    return await db.read(read)


@router.post("/slave/errand", tags=["slave protocol"], status_code=status.HTTP_204_NO_CONTENT)
async def hear(word: ErrandWord, slave: SlaveAsking, db: Db) -> None:
    """Say how far an errand is, or how it ended."""
    await db.write(partial(errands.hear, slave=slave.id, word=word, at=clock.now()))


def _send(conn: Connection, name: str, asker: Identity, wish: SendErrand, at: int) -> ErrandView:
    slave = slavekeys.own(conn, name, asker)
    number = errands.order(conn, slave, wish, asker.id, at)
    return next(view for view in errands.views(conn, slave) if view.number == number)
