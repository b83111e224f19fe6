"""`/api/peers`: the servers that this one exchanges jobs with, for its users and admins."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, status
from sqlalchemy.engine import Connection

from farm.accounts import deeds
from farm.api.dependencies import Admin, Db, Farm, User
from farm.api.services import Services
from farm.peers import account, book, introduction, lending
from farm.peers.keys import fingerprint
from farm.protocol.lending import Borrow, Lend, PeerAudit, TradeDay
from farm.protocol.peers import AcceptPeer, MakePeerInvite, PeerInviteMade, PeerState, PeerView, Rotate, Rotated
from farm.words.clock import moment, now
from farm.words.errors import NeedsConfirmation
from farm.words.hours import Hours
from farm.words.names import SERVER_NAME

router = APIRouter(prefix="/api/peers", tags=["peers"])

Name = Annotated[str, Path(pattern=f"^{SERVER_NAME.pattern}$", description="The other server's name.")]


@router.get("", summary="List peers")
async def peers(user: User, farm: Farm) -> list[PeerView]:
    """Return the servers with which this one exchanges jobs; what went wrong last is for admins."""
    found = await farm.database.read(partial(account.between, errors=user.is_admin))
    return [view.model_copy(update=farm.lender.now(view.name)) for view in found]


@router.get("/{name}/history", summary="What was lent and borrowed, day by day")
async def history(name: Name, _user: User, db: Db, days: Annotated[int, Query(ge=1, le=366)] = 30) -> list[TradeDay]:
    """Return what slaves of both servers rendered for each other, by days (UTC), the oldest first."""
    return await db.read(partial(account.history, peer=name, at=now(), days=days))


@router.post("/invites", status_code=status.HTTP_201_CREATED, summary="Invite a server (admins)")
async def make_invite(wish: MakePeerInvite, admin: Admin, farm: Farm) -> PeerInviteMade:
    """Make a code by which the server of a name becomes a peer; its admin accepts it there. It is shown this once."""
    code, expires = await introduction.invite(farm.peering, wish, farm.url)
    await farm.database.write(partial(deeds.note, user=admin.id, verb="peer-invite", at=now(), detail=wish.name))
    end = moment(expires)
    assert end is not None
    return PeerInviteMade(code=str(code), name=wish.name, expires=end)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Accept an invitation (admins)")
async def accept(wish: AcceptPeer, admin: Admin, farm: Farm) -> PeerView:
    """Become a peer of the server whose admin made a code."""
    name = await introduction.accept(farm.peering, wish, farm.url)
    await farm.database.write(partial(deeds.note, user=admin.id, verb="peer-accept", at=now(), detail=name))
    found = await farm.database.read(partial(book.views, errors=True))
    return next(view for view in found if view.name == name)


@router.post("/rotate", summary="Make new keys (admins)")
async def rotate(wish: Rotate, admin: Admin, farm: Farm) -> Rotated:
    """Make new keys for this server, and tell all peers; those that are away are told later, but for a revocation."""
    told, untold = await introduction.rotate(farm.peering, revoke=wish.revoke)
    await farm.database.write(partial(deeds.note, user=admin.id, verb="peer-keys", at=now()))
    public = await asyncio.to_thread(lambda: farm.peering.keys.public)
    return Rotated(fingerprint=fingerprint(public), told=told, untold=untold)


@router.post("/{name}/pause", status_code=status.HTTP_204_NO_CONTENT, summary="Pause an exchange (admins)")
async def pause(name: Name, admin: Admin, db: Db) -> None:
    """Let nothing of a peer in, and ask it nothing; what renders goes on."""
    await db.write(partial(_set, name=name, state=PeerState.PAUSED, admin=admin.id, at=now()))


@router.post("/{name}/resume", status_code=status.HTTP_204_NO_CONTENT, summary="Resume an exchange (admins)")
async def resume(name: Name, admin: Admin, db: Db) -> None:
    """Exchange jobs again with a paused peer."""
    await db.write(partial(_set, name=name, state=PeerState.ACTIVE, admin=admin.id, at=now()))


@router.put("/{name}/lend", status_code=status.HTTP_204_NO_CONTENT, summary="Lend slaves to a peer (admins)")
async def lend(name: Name, terms: Lend, admin: Admin, farm: Farm) -> None:
    """Let slaves here that have nothing to do render for a peer, on these terms."""
    Hours.parse(terms.hours)
    await farm.database.write(partial(_agree, name=name, admin=admin.id, verb="peer-lend", at=now(), lends=terms))
    await farm.lender.look()


@router.delete("/{name}/lend", status_code=status.HTTP_204_NO_CONTENT, summary="Lend a peer nothing (admins)")
async def keep(name: Name, admin: Admin, farm: Farm) -> None:
    """Lend slaves to a peer no more; what they have begun for it, they finish."""
    await farm.database.write(partial(_agree, name=name, admin=admin.id, verb="peer-keep", at=now(), lends=None))
    await farm.lender.look()


@router.put("/{name}/borrow", status_code=status.HTTP_204_NO_CONTENT, summary="Borrow a peer's slaves (admins)")
async def borrow(name: Name, terms: Borrow, admin: Admin, db: Db) -> None:
    """Let slaves that a peer lends render jobs of this server."""
    await db.write(partial(_agree, name=name, admin=admin.id, verb="peer-borrow", at=now(), borrows=terms))


@router.delete("/{name}/borrow", status_code=status.HTTP_204_NO_CONTENT, summary="Borrow nothing of a peer (admins)")
async def refrain(name: Name, admin: Admin, db: Db) -> None:
    """Let a peer's slaves render nothing more here."""
    await db.write(partial(_agree, name=name, admin=admin.id, verb="peer-refrain", at=now(), borrows=None))


@router.post("/{name}/audit", summary="Compare books with a peer (admins)")
async def audit(name: Name, _admin: Admin, farm: Farm) -> PeerAudit:
    """Fetch all receipts, and compare what both servers say is between them."""
    return await account.audit(farm.peering, name, now())


@router.delete("/{name}", status_code=status.HTTP_204_NO_CONTENT, summary="End an exchange (admins)")
async def end(name: Name, admin: Admin, farm: Farm, confirmed: bool = False) -> None:
    """End the exchange with a peer.

    It asks first while jobs of its users have not ended here, which nobody could fetch, and while slaves of either
    render for the other, whose frames would have to be rendered again.
    """
    await farm.database.read(partial(book.known, name=name))
    left = await farm.database.read(partial(book.unfinished, name=name))
    if left and not confirmed:
        text = f"{len(left)} jobs of users of {name} have not ended here, such as {left[0]}; they could not be fetched."
        raise NeedsConfirmation(text, hint="Wait for them, or pause the exchange, or confirm.", jobs=left[:100])
    if not confirmed and (text := await lost_by_ending(farm, name)):
        hint = "`distren peers lend --stop` and `borrow --stop` let what renders be finished; or confirm."
        raise NeedsConfirmation(text, hint=hint)
    await introduction.end(farm.peering, name)
    await farm.database.write(partial(deeds.note, user=admin.id, verb="peer-end", at=now(), detail=name))


async def lost_by_ending(farm: Services, name: str) -> str:
    """Return what would have to be rendered again if an exchange ended now; empty: nothing."""
    here = await farm.database.read(partial(account.rendering, peer=name))
    there = int(farm.lender.now(name).get("lent_now", 0))
    if not here and not there:
        return ""
    return f"Frames that slaves of {name} render here: {here}; slots here that render for it: {there}. These are lost."


def _set(conn: Connection, name: str, state: PeerState, admin: int, at: int) -> None:
    book.set_state(conn, name, state)
    deeds.note(conn, admin, f"peer-{state.value}", at=at, detail=name)


def _agree(conn: Connection, name: str, admin: int, verb: str, at: int, **terms: Lend | Borrow | None) -> None:
    lending.set_terms(conn, name, at, **terms)
    deeds.note(conn, admin, verb, at=at, detail=name)
