"""`/slaves`: machines, and keys for new ones."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from farm.accounts.slaveviews import views
from farm.api.dashboard.question import Question
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import asker
from farm.api.slaves import endpoints as api
from farm.jobs.slavehistory import history
from farm.protocol.slaves import MakeSlaveKey
from farm.words.errors import Malformed, NotFound

router = APIRouter()

PAGE = 100
"""Slaves on a page."""


@router.get("/slaves")
async def slaves(
    request: Request, user: User, farm: Farm, after: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """List slaves, a page at a time."""
    owner = None if asker(user, farm.settings).sees_all else user.id
    query = partial(views, server=farm.name, owner=owner, after=after, limit=PAGE + 1)
    found = await farm.database.read(query)
    more = found[PAGE - 1].name if len(found) > PAGE else ""
    return page(request, "slaves.html", slaves=found[:PAGE], next=more, address=str(request.url.query))


@router.post("/slaves")
async def make(request: Request, user: User, farm: Farm, name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Make a slave key, and show it this once."""
    try:
        wish = MakeSlaveKey(name=name.strip())
    except ValidationError as error:
        raise Malformed("This is no name for a slave.", hint="Small letters, digits, - and _, up to 32.") from error
    made = await api.make_key(wish, user, farm)
    return page(request, "slavekey.html", made=made, url=str(request.base_url).rstrip("/"))


@router.get("/slaves/{name}")
async def slave(name: str, request: Request, user: User, farm: Farm) -> Response:
    """Show a slave: its machine, what it offers, what it did last."""
    who = asker(user, farm.settings)
    owner = None if who.sees_all else user.id
    found = await farm.database.read(partial(views, server=farm.name, owner=owner, name=name))
    if not found:
        raise NotFound(f"There is no slave {name[:40]}.", hint="It may be retired, or another user's.")
    past = await farm.database.read(partial(history, asker=who, slave=name))
    return page(request, "slave.html", slave=found[0], history=past)


@router.post("/slaves/{name}/{verb}")
async def steer(
    name: str, verb: str, request: Request, user: User, farm: Farm, sure: Annotated[bool, Form()] = False
) -> Response:
    """Pause, resume or retire a slave."""
    if verb == "retire" and not sure:
        return page(request, "sure.html", question=_retiring(name))
    if verb == "retire":
        await api.retire(name, user, farm)
    elif verb in {"pause", "resume"}:
        await (api.pause if verb == "pause" else api.resume)(name, user, farm.database)
    else:
        raise NotFound(f"Nobody can {verb[:30]} a slave here.")
    return RedirectResponse(f"{request.scope.get('root_path', '')}/slaves{'' if verb == 'retire' else f'/{name}'}", 303)


def _retiring(name: str) -> Question:
    gone = "Its key is void for good, and what it renders now is rendered elsewhere. What it did stays on record."
    here = f"/slaves/{name}"
    return Question("retire", f"Retire slave {name}?", gone, f"{here}/retire", here, links=[(name, here)])
