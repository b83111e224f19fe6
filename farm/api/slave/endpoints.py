"""What slaves call: log in, the one call, log out. Files are in :mod:`farm.api.blobs`."""

from __future__ import annotations

import json
from functools import partial

import structlog
from fastapi import APIRouter, Depends, Request, Response, status
from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm import __version__
from farm.accounts import lending, logins, slavekeys
from farm.accounts.slavekeys import SlaveGranted
from farm.api.dependencies import Farm, SlaveAsking
from farm.database.schema import slaves
from farm.protocol.examples import EXAMPLES
from farm.protocol.slaves import Orders, Report, SlaveLogin, SlaveWelcome
from farm.protocol.terms import Terms
from farm.protocol.versions import objection
from farm.scheduler import slaves as scheduler
from farm.words import clock
from farm.words.errors import VersionUnfit, WrongPassphrase

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/slave", tags=["slave protocol"])

_REPORT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": Report.model_json_schema(ref_template="#/components/schemas/{model}"),
                "example": EXAMPLES["Report"],
            }
        },
    }
}


async def _fitting(request: Request) -> None:
    """Refuse an unfit version before its words are read: a newer slave uses some that this server does not know."""
    version = _version(await request.body())
    reason, mend = objection(__version__, version) if isinstance(version, str) else ("", "")
    if reason:
        address = request.client.host if request.client else ""
        log.warning("A slave's version does not fit.", version=str(version)[:40], address=address)
        raise VersionUnfit(reason, hint=mend)


def _version(body: bytes) -> object:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):  # what is wrong with it is said when the whole is read
        return None
    return said.get("version") if isinstance(said, dict) else None


@router.post("/login", summary="Open a slave's login", dependencies=[Depends(_fitting)])
async def log_in(wish: SlaveLogin, request: Request, farm: Farm) -> SlaveWelcome:
    """Get a token for slave key and password. Refused while another slave uses the key."""
    at, address = clock.now(), request.client.host if request.client else ""
    farm.throttle.check(wish.key, address, at)
    try:
        granted = await farm.database.write(partial(opened, login=wish, at=at, silence=farm.policy.quiet_us))
    except WrongPassphrase:
        farm.throttle.wrong(wish.key, address, at)
        raise
    farm.authenticator.forget_slave(granted.id)
    log.info("A slave has logged in.", slave=granted.name, version=wish.version, slots=wish.slots)
    beat = farm.policy.heartbeat_seconds
    terms = await farm.database.read(partial(_terms, slave=granted.id))
    return SlaveWelcome(token=granted.token, name=granted.name, server=farm.name, heartbeat_seconds=beat, terms=terms)


@router.post("/next", summary="Report, and get orders", response_model=Orders, openapi_extra=_REPORT)
async def next_call() -> Response:
    """Report ends and progress of attempts, and get leases, revocations and verdicts.

    The report is also the heartbeat. The call hangs until there is something to say, for
    at most `hold` seconds and never longer than a heartbeat; a newer call ends an older one.
    """
    # Only its description is used: farm.api.slave.next answers before FastAPI sees the request.
    raise NotImplementedError


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, summary="Close a slave's login")
async def log_out(slave: SlaveAsking, farm: Farm) -> None:
    """Give all attempts back and void the token."""
    await farm.database.write(partial(_close, slave=slave.id, at=clock.now()))
    farm.authenticator.forget_slave(slave.id)
    farm.lender.forget(slave.id)
    log.info("A slave has logged out.", slave=slave.name)


def opened(conn: Connection, login: SlaveLogin, at: int, silence: int = slavekeys.SILENCE) -> SlaveGranted:
    """Open a slave's login, and note what it has; args and errors as of :func:`farm.accounts.slavekeys.log_in`."""
    granted = slavekeys.log_in(conn, login.key, login.password.get_secret_value(), at, silence)
    scheduler.log_in(conn, granted.id, login, at)
    return granted


def _terms(conn: Connection, slave: int) -> Terms | None:
    text = conn.execute(select(slaves.c.terms).where(slaves.c.id == slave)).scalar_one()
    return lending.terms(text) if text else None


def _close(conn: Connection, slave: int, at: int) -> None:
    scheduler.log_out(conn, slave, at)
    logins.revoke_slave(conn, slave)
