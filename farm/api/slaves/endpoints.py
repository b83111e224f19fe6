"""Slaves: make keys and join codes, join, list, pause, resume, retire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog
from fastapi import APIRouter, Request, status
from sqlalchemy.engine import Connection

from farm.accounts import deeds, joincodes, logins, slavekeys, slaveviews
from farm.accounts.identity import Identity
from farm.api.dependencies import Admin, Db, Farm, User
from farm.protocol.joining import (
    Join,
    JoinCodeMade,
    JoinCodeView,
    Joined,
    MakeJoinCode,
    MakeSlaveKey,
    SlaveKeyMade,
)
from farm.protocol.slaveviews import SlaveView
from farm.scheduler import slaves as scheduler
from farm.words import clock
from farm.words.joincode import JoinCode, fingerprint_of

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/slaves", tags=["slaves"])


@router.post("", status_code=status.HTTP_201_CREATED, summary="Make a slave key")
async def make_key(wish: MakeSlaveKey, user: User, farm: Farm) -> SlaveKeyMade:
    """Make a slave, or a new password for one's own; key and password are shown this once."""
    made = await farm.database.write(partial(_make_key, name=wish.name, owner=user, at=clock.now()))
    slave = await farm.database.read(partial(slavekeys.own, name=wish.name, asker=user))
    farm.authenticator.forget_slave(slave)
    return made


@router.post("/join-codes", status_code=status.HTTP_201_CREATED, summary="Make a join code (admins)")
async def make_join_code(wish: MakeJoinCode, admin: Admin, farm: Farm) -> JoinCodeMade:
    """Make a code by which machines join as slaves of yours; it is shown this once."""
    secret, view = await farm.database.write(partial(_join_code, wish=wish, admin=admin, at=clock.now()))
    code = JoinCode(
        secret, wish.address or farm.url, await asyncio.to_thread(_fingerprint, farm.settings.ssl_certificate)
    )
    return JoinCodeMade(code=str(code), **view.model_dump())


@router.get("/join-codes", summary="List join codes (admins)")
async def join_codes(admin: Admin, db: Db) -> list[JoinCodeView]:
    """Return the join codes that still admit machines; their secrets are not kept."""
    return await db.read(partial(joincodes.views, at=clock.now()))


@router.delete("/join-codes/{name}", status_code=status.HTTP_204_NO_CONTENT, summary="Void a join code (admins)")
async def revoke_join_code(name: str, admin: Admin, db: Db) -> None:
    """Void a join code; machines that have joined with it stay."""
    await db.write(partial(_revoke_join_code, name=name, admin=admin.id, at=clock.now()))


@router.post("/join", status_code=status.HTTP_201_CREATED, summary="Join as a slave")
async def join(wish: Join, request: Request, farm: Farm) -> Joined:
    """Make a slave with a join code; needs no login. Key and password are shown this once."""
    at, address = clock.now(), request.client.host if request.client else ""
    secret = wish.secret.get_secret_value().strip().lower()
    farm.throttle.check("join", address, at)
    if not await farm.database.read(partial(joincodes.valid, secret=secret, at=at)):
        farm.throttle.wrong("join", address, at)
        raise joincodes.refusal()
    made, owner = await farm.database.write(partial(joincodes.redeem, secret=secret, wanted=wish.name, at=at))
    log.info("A machine has joined.", slave=made.name, owner=owner, address=address)
    return Joined(**made.model_dump(), server=farm.name, owner=owner)


@router.get("", summary="List slaves")
async def slaves(user: User, farm: Farm) -> list[SlaveView]:
    """Return all slaves; in profile `open` only the user's own."""
    everyone = user.is_admin or user.in_team(farm.settings.profile)
    owner = None if everyone else user.id
    return await farm.database.read(partial(slaveviews.views, server=farm.name, owner=owner))


@router.post("/{name}/pause", status_code=status.HTTP_204_NO_CONTENT, summary="Give it no new leases")
async def pause(name: str, user: User, db: Db) -> None:
    """Let a slave finish what runs and give it nothing new."""
    await db.write(partial(_steer, name=name, asker=user, verb="pause", act=scheduler.pause, at=clock.now()))


@router.post("/{name}/stop", status_code=status.HTTP_204_NO_CONTENT, summary="Stop it at once")
async def stop(name: str, user: User, db: Db) -> None:
    """Pause a slave, and take back at once what it renders; that is rendered elsewhere, and costs it nothing."""
    await db.write(partial(_steer, name=name, asker=user, verb="stop", act=scheduler.stop, at=clock.now()))


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


def _join_code(conn: Connection, wish: MakeJoinCode, admin: Identity, at: int) -> tuple[str, JoinCodeView]:
    secret, view = joincodes.make(conn, wish, admin, at)
    deeds.note(conn, admin.id, "join code", at=at, detail=f"{view.name}, {wish.machines} machines")
    return secret, view


def _revoke_join_code(conn: Connection, name: str, admin: int, at: int) -> None:
    joincodes.revoke(conn, name)
    deeds.note(conn, admin, "revoke join code", at=at, detail=name)


def _fingerprint(certificate: Path | None) -> str:
    return fingerprint_of(certificate.read_text("ascii", "replace")) if certificate else ""


def _make_key(conn: Connection, name: str, owner: Identity, at: int) -> SlaveKeyMade:
    made = slavekeys.make(conn, name, owner, at)
    scheduler.shut_out(conn, slavekeys.own(conn, name, owner), at)  # whoever used the old key
    return made
