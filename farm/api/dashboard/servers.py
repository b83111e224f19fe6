"""`/servers`: the servers that this one exchanges jobs with; admins begin, pause and end that here."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from farm.api.dashboard import charts
from farm.api.dashboard.question import Question
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Admin, Farm, User
from farm.api.peers import endpoints as api
from farm.jobs.arrivals import awaited
from farm.peers import account, book
from farm.protocol.peers import AcceptPeer, MakePeerInvite, PeerView, Rotate
from farm.words.clock import now
from farm.words.errors import Malformed, NotFound

router = APIRouter(prefix="/servers")

DAYS = 30
"""Days of which is shown what was lent and borrowed."""

_PLAIN = {"pause": api.pause, "resume": api.resume, "refrain": api.refrain}
"""What is done without a question."""


@router.get("")
async def servers(request: Request, user: User, farm: Farm) -> Response:
    """List peers: up or down since when, and what is between them and this server."""
    found = await api.peers(user, farm)
    between = await farm.database.read(partial(_between, peers=found))
    return page(request, "servers.html", peers=found, **between)


@router.post("/invite")
async def invite(
    request: Request,
    admin: Admin,
    farm: Farm,
    name: Annotated[str, Form(max_length=200)] = "",
    sees_all: Annotated[bool, Form()] = False,
) -> Response:
    """Make a code for another server's admin, and show it this once."""
    try:
        wish = MakePeerInvite(name=name.strip(), sees_all=sees_all)
    except ValidationError as error:
        hint = "Small letters and digits, inside it also . and -, up to 63."
        raise Malformed("This is no name for a server.", hint=hint) from error
    return page(request, "peercode.html", made=await api.make_invite(wish, admin, farm))


@router.post("/accept")
async def accept(
    request: Request,
    admin: Admin,
    farm: Farm,
    code: Annotated[str, Form(max_length=2000)] = "",
    sees_all: Annotated[bool, Form()] = False,
) -> Response:
    """Become a peer of the server whose admin made a code."""
    await api.accept(AcceptPeer.model_validate({"code": code.strip(), "sees_all": sees_all}), admin, farm)
    return _back(request)


@router.post("/keys")
async def keys(
    request: Request,
    admin: Admin,
    farm: Farm,
    revoke: Annotated[bool, Form()] = False,
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Make new keys for this server, once that is sure; say which peers know them."""
    if not sure:
        return page(request, "sure.html", question=_rotating(revoke=revoke))
    return page(request, "peerkeys.html", made=await api.rotate(Rotate(revoke=revoke), admin, farm))


@router.post("/{name}/{verb}")
async def change(
    name: api.Name, verb: str, request: Request, admin: Admin, farm: Farm, sure: Annotated[bool, Form()] = False
) -> Response:
    """Pause, resume or end an exchange, or end what is lent or borrowed; ending all is asked about first."""
    if verb == "end":
        return await _end(request, admin, farm, name, sure=sure)
    if verb == "keep":
        await api.keep(name, admin, farm)
    elif verb in _PLAIN:
        await _PLAIN[verb](name, admin, farm.database)
    else:
        raise NotFound(f"Nobody can {verb[:30]} a server here.")
    return _back(request)


async def _end(request: Request, admin: Admin, farm: Farm, name: str, *, sure: bool) -> Response:
    if sure:
        await api.end(name, admin, farm, confirmed=True)
        return _back(request)
    await farm.database.read(partial(book.known, name=name))
    left = await farm.database.read(partial(book.unfinished, name=name))
    return page(request, "sure.html", question=_ending(name, left, await api.lost_by_ending(farm, name)))


def _between(conn: Connection, peers: list[PeerView]) -> dict[str, Any]:
    """Return how many jobs of each peer's users are unfinished here, what is waited for, and who owes whom."""
    waits: Counter[str] = Counter()
    for one in awaited(conn):
        waits[one.server] += len(one.needs)
    names = [peer.name for peer in peers]
    return {
        "theirs": {name: len(book.unfinished(conn, name)) for name in names},
        "waits": waits,
        "books": {name: account.statement(conn, name) for name in names},
        "trades": {name: charts.trade(account.history(conn, name, now(), DAYS)) for name in names},
    }


def _ending(name: str, left: list[int], rendering: str) -> Question:
    which = "1 job of its users has" if len(left) == 1 else f"{len(left)} jobs of its users have"
    lost = f"{which} not ended here: nobody could fetch what they render. " if left else ""
    lost += f"{rendering} To have them finished, lend and borrow nothing first. " if rendering else ""
    becomes = f"{lost}Neither server's users reach the other any more. To begin again takes a new code."
    links = [(f"job {job}", f"/jobs/{job}") for job in left[:20]]
    return Question("end", f"End the exchange with {name}?", becomes, f"/servers/{name}/end", "/servers", links)


def _rotating(*, revoke: bool) -> Question:
    becomes = "All peers are told; those that are away are told later."
    if revoke:
        becomes = "The former keys are void at once. Peers that are away have to be agreed with anew."
    fields = [("revoke", "true")] if revoke else []
    title = "Make new keys for this server?"
    return Question("rotate", title, becomes, "/servers/keys", "/servers", (), fields, "make new keys")


def _back(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/servers", 303)
