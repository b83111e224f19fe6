"""New passphrases, recovery codes, keeping users out."""

from __future__ import annotations

from functools import partial

import structlog
from fastapi import APIRouter, Request, status
from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.accounts import logins, recovery, users
from farm.accounts.identity import Identity
from farm.api.dependencies import Admin, Db, Farm, User
from farm.api.services import Services
from farm.database.schema import jobs
from farm.database.schema import users as table
from farm.protocol.accounts import ChangePassphrase, LoginGranted, Quota, Recover, RecoveryMade, Standing, UserView
from farm.scheduler import jobstate
from farm.scheduler import slaves as scheduler
from farm.words import clock
from farm.words.errors import WrongPassphrase
from farm.words.states import JOB_ACTIVE, PauseReason

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/accounts", tags=["accounts"])


@router.post("/passphrase", status_code=status.HTTP_204_NO_CONTENT, summary="Choose a new passphrase")
async def change_passphrase(wish: ChangePassphrase, request: Request, user: User, farm: Farm) -> None:
    """Choose a new passphrase, by the old one; all your other logins end, slaves' don't."""
    at, address = clock.now(), request.client.host if request.client else ""
    farm.throttle.check(user.name, address, at)
    row = await farm.database.read(partial(users.find, name=user.name))
    if row is None or not await farm.passphrases.verify(row["passphrase"], wish.old.get_secret_value()):
        farm.throttle.wrong(user.name, address, at)
        raise WrongPassphrase("The old passphrase is wrong.")
    fresh = await farm.passphrases.hash(wish.new.get_secret_value())
    act = partial(recovery.change, user=user.id, passphrase=fresh, but=user.token, at=clock.now())
    _forget(farm, await farm.database.write(act))


@router.post("/recover", summary="Choose a new passphrase by an admin's code")
async def recover(wish: Recover, request: Request, farm: Farm) -> LoginGranted:
    """Use a recovery code: the passphrase is new, all logins end, and this is the first one."""
    at, address = clock.now(), request.client.host if request.client else ""
    farm.throttle.check(wish.name, address, at)
    fresh = await farm.passphrases.hash(wish.passphrase.get_secret_value())
    act = partial(recovery.redeem, name=wish.name, code=wish.code, passphrase=fresh, at=at)
    try:
        user, void = await farm.database.write(act)
    except WrongPassphrase:
        farm.throttle.wrong(wish.name, address, at)
        raise
    _forget(farm, void)
    token = await farm.database.write(partial(logins.grant_user, user=user, device=wish.device, at=at))
    view = await farm.database.read(partial(users.view, user=user))
    log.info("A user has a new passphrase, by an admin's code.", user=wish.name)
    return LoginGranted(token=token, user=view, server=farm.name)


@router.get("/users", summary="All users (admins)")
async def list_users(admin: Admin, db: Db) -> list[UserView]:
    """List all users by name."""
    return await db.read(_all)


@router.post("/users/{name}/recovery", status_code=status.HTTP_201_CREATED, summary="Make a recovery code (admins)")
async def make_recovery(name: str, admin: Admin, db: Db) -> RecoveryMade:
    """Make a code by which a user who forgot their passphrase may choose another, once, within a day."""
    return await db.write(partial(recovery.make_code, admin=admin, name=name, at=clock.now()))


@router.put("/users/{name}/standing", status_code=status.HTTP_204_NO_CONTENT, summary="Keep a user out (admins)")
async def set_standing(name: str, wish: Standing, admin: Admin, farm: Farm) -> None:
    """Keep a user and their slaves out, and pause their jobs; or let them in again."""
    act = partial(_set_standing, admin=admin, name=name, disabled=wish.disabled, at=clock.now())
    void, slaves = await farm.database.write(act)
    _forget(farm, void)
    for slave in slaves:
        farm.authenticator.forget_slave(slave)


@router.put("/users/{name}/quota", status_code=status.HTTP_204_NO_CONTENT, summary="Set a user's quota (admins)")
async def set_quota(name: str, wish: Quota, admin: Admin, db: Db) -> None:
    """Say how many bytes a user may keep stored; jobs that wait for room go on within minutes."""
    await db.write(partial(recovery.set_quota, admin=admin, name=name, size=wish.bytes, at=clock.now()))


def _set_standing(
    conn: Connection, admin: Identity, name: str, at: int, *, disabled: bool
) -> tuple[list[bytes], list[int]]:
    void, user = recovery.set_disabled(conn, admin, name, at, disabled=disabled)
    if disabled:
        active = jobs.c.owner == user, jobs.c.state.in_([state.value for state in JOB_ACTIVE])
        for job in sorted(conn.execute(select(jobs.c.number).where(*active)).scalars()):
            jobstate.pause(conn, job, PauseReason.USER, at)
        for slave in recovery.slaves_of(conn, user):
            scheduler.shut_out(conn, slave, at)
    return void, recovery.slaves_of(conn, user)


def _all(conn: Connection) -> list[UserView]:
    return [users.view(conn, user) for user in conn.execute(select(table.c.id).order_by(table.c.name)).scalars()]


def _forget(farm: Services, void: list[bytes]) -> None:
    for token in void:
        farm.authenticator.forget(token)
