"""Register, log in, log out, invite."""

from __future__ import annotations

from functools import partial

import structlog
from fastapi import APIRouter, Request, status
from sqlalchemy.engine import Connection

from farm.accounts import deeds, invites, logins, users
from farm.api.dependencies import Admin, Db, Farm, User
from farm.api.services import Services
from farm.protocol.accounts import InviteMade, LogIn, LoginGranted, MakeInvite, Register, UserView
from farm.words import clock
from farm.words.errors import RegistrationRefused, WrongPassphrase

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/accounts", tags=["accounts"])


@router.post("/register", status_code=status.HTTP_201_CREATED, summary="Make an account")
async def register(wish: Register, request: Request, farm: Farm) -> LoginGranted:
    """Make an account and log in. The first admin uses the setup code of the new server as invite."""
    at, address = clock.now(), _address(request)
    if farm.settings.registration == "closed":
        raise RegistrationRefused("This server does not register new users.", hint="Ask its admin.")
    invite = None if farm.settings.registration == "open" and not wish.invite else wish.invite
    farm.throttle.check("invite", address, at)
    # Hashing costs memory and time, so a stranger's code is looked at first.
    if invite is not None and not await farm.database.read(partial(invites.valid, code=invite, at=at)):
        farm.throttle.wrong("invite", address, at)
        raise invites.refusal(invite)
    passphrase = await farm.passphrases.hash(wish.passphrase.get_secret_value())
    new = users.NewUser(wish.name, passphrase, int(farm.settings.quota))
    user = await farm.database.write(partial(users.register, new=new, invite=invite, at=at))
    log.info("A user has registered.", user=wish.name)
    return await _granted(farm, user, wish.device)


@router.post("/login", summary="Get a token")
async def log_in(wish: LogIn, request: Request, farm: Farm) -> LoginGranted:
    """Get a token for name and passphrase. It lasts 180 days from its last use."""
    at, address = clock.now(), _address(request)
    farm.throttle.check(wish.name, address, at)
    row = await farm.database.read(partial(users.find, name=wish.name))
    kept = row["passphrase"] if row else None
    right = await farm.passphrases.verify(kept, wish.passphrase.get_secret_value())
    if not right or row is None or row["disabled"]:
        farm.throttle.wrong(wish.name, address, at)
        log.info("A login was refused.", user=wish.name, address=address)
        raise WrongPassphrase(hint="Passphrases are case-sensitive. An admin can make you a recovery code.")
    farm.throttle.right(wish.name, address)
    return await _granted(farm, row["id"], wish.device)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, summary="Void this token")
async def log_out(user: User, farm: Farm) -> None:
    """Void the token that this request came with."""
    await farm.database.write(partial(logins.revoke, token=user.token))
    farm.authenticator.forget(user.token)


@router.get("/me", summary="Who am I")
async def me(user: User, db: Db) -> UserView:
    """Return the user whose token this is."""
    return await db.read(partial(users.view, user=user.id))


@router.post("/invites", status_code=status.HTTP_201_CREATED, summary="Make an invite code (admins)")
async def invite(wish: MakeInvite, admin: Admin, db: Db) -> InviteMade:
    """Make a code that admits new users; it is shown this once."""
    return await db.write(partial(_invite, wish=wish, admin=admin.id, at=clock.now()))


def _invite(conn: Connection, wish: MakeInvite, admin: int, at: int) -> InviteMade:
    deeds.note(conn, admin, "invite", at=at, detail=f"{wish.uses} uses, role {wish.role.value}")
    return invites.make(conn, wish, at)


async def _granted(farm: Services, user: int, device: str) -> LoginGranted:
    token = await farm.database.write(partial(logins.grant_user, user=user, device=device, at=clock.now()))
    view = await farm.database.read(partial(users.view, user=user))
    return LoginGranted(token=token, user=view, server=farm.name)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
