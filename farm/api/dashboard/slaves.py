"""`/slaves`: machines, and what is done to one or many of them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from farm.accounts import slavekeys
from farm.accounts.identity import Identity
from farm.accounts.slaveviews import views
from farm.api.dashboard import lend
from farm.api.dashboard.load import lines
from farm.api.dashboard.rendering import page
from farm.api.dashboard.slaveverbs import FINAL, MEANS, WORDS, carry_out, question
from farm.api.dependencies import Farm, User
from farm.api.doubts.endpoints import see
from farm.api.jobs.parts import Number, asker
from farm.api.services import Services
from farm.jobs import ratings
from farm.jobs.framemap import last_pictures
from farm.jobs.slavehistory import history, running
from farm.protocol.points import Cause
from farm.protocol.slaveviews import SlaveView
from farm.scheduler import errands, samples
from farm.words.clock import now
from farm.words.errors import DistrenError, Forbidden, NotFound
from farm.words.states import SlaveState

router = APIRouter()

PAGE = 40
"""Slaves on a page."""

STATES = [one for one in SlaveState if one is not SlaveState.RETIRED]
"""What can be looked for."""

RESTS = {3600: "1 hour", 7200: "2 hours", 28800: "8 hours", 86400: "1 day", 604800: "1 week"}
"""How long slaves are told to rest, in seconds."""

CAUSES = {
    Cause.ASKED: "somebody wanted it",
    Cause.FIRST: "it never was before",
    Cause.CHANGED: "machine or renderer changed",
    Cause.AGE: "30 days had passed",
    Cause.DRIFT: "its frames differed from its rating",
    Cause.AGAIN: "the last time failed",
}
"""Why slaves are measured, in words."""

_BUTTONS: dict[str, Any] = {"words": WORDS, "means": MEANS, "rests": RESTS}


@router.get("/slaves")
async def slaves(
    request: Request,
    user: User,
    farm: Farm,
    after: Annotated[str, Query(max_length=100)] = "",
    owner: Annotated[str, Query(max_length=100)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """List slaves, a page at a time: all, those of a user, or those in a state."""
    own = None if asker(user, farm.settings).sees_all else user.id
    states = [one for one in STATES if one == state]
    query = partial(views, server=farm.name, owner=own, after=after, limit=PAGE + 1, states=states, of=owner.strip())
    found = await farm.database.read(query)
    more = urlencode({"owner": owner, "state": state, "after": found[PAGE - 1].name}) if len(found) > PAGE else ""
    given = {**_BUTTONS, "slaves": found[:PAGE], "next": more, "owner": owner, "state": state, "states": STATES}
    return page(request, "slaves.html", address=str(request.url.query), **given)


@router.post("/slaves")
async def act(
    request: Request,
    user: User,
    farm: Farm,
    verb: Annotated[str, Form(max_length=20)] = "",
    slave: Annotated[list[str], Form(max_length=1000)] = [],  # noqa: B006 - FastAPI copies it
    seconds: Annotated[float, Form(gt=0, le=604800)] = 7200,
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Do something to one slave or to many; what could not be done is said, slave by slave."""
    one = f"/slaves/{slave[0]}" if len(slave) == 1 else "/slaves"
    if verb in FINAL and slave and not sure:
        return page(request, "sure.html", question=question(verb, slave, one))
    refused: list[DistrenError] = []
    for name in slave:
        try:
            await carry_out(user, farm, name, verb, seconds)
        except DistrenError as error:
            refused.append(error)
    if refused:
        told: dict[str, Any] = {"refused": refused, "done": len(slave) - len(refused), "verb": verb.replace("_", " ")}
        return page(request, "refused.html", status=409, what="slave", back="/slaves", **told)
    back = "/slaves" if verb in ("retire", "convict") else one
    return RedirectResponse(f"{request.scope.get('root_path', '')}{back}", 303)


@router.get("/slaves/{name}")
async def slave(name: str, request: Request, user: User, farm: Farm) -> Response:
    """Show a slave: its machine, what it offers, what it renders and did."""
    found, who = await _found(farm, user, name), asker(user, farm.settings)
    at = now()
    doing = await farm.database.read(partial(running, asker=who, slave=name))
    pictures = await farm.database.read(partial(last_pictures, jobs=[one.job for one in doing if one.name]))
    given: dict[str, Any] = {"running": doing, "pictures": pictures, **_BUTTONS}
    given["history"] = await farm.database.read(partial(history, asker=who, slave=name))
    number = await _own(farm, user, name)
    given["causes"] = CAUSES
    given["doubts"] = await see(user, farm, name) if user.is_admin else []
    given["mine"] = number is not None
    given["ratings"] = [] if number is None else await farm.database.read(partial(ratings.views, slave=number))
    given["errands"] = [] if number is None else await farm.database.read(partial(errands.views, slave=number))
    given["forms"] = {} if number is None else await lend.forms(farm, user, found)
    given["accepts"] = lend.ACCEPTS
    sampled = await farm.database.read(partial(samples.of_named, name=name, at=at))
    return page(request, "slave.html", slave=found, lines=lines(sampled, found.hardware, at), **given)


@router.get("/slaves/{name}/errands/{number}")
async def shown(name: str, number: Number, request: Request, user: User, farm: Farm) -> Response:
    """Show what a slave showed: the end of its log."""
    found, mine = await _found(farm, user, name), await _own(farm, user, name)
    if mine is None:
        raise Forbidden(f"The log of {name} is its owner's and admins' to read.")
    text = await farm.database.read(partial(errands.text, slave=mine, number=number))
    return page(request, "slavelog.html", slave=found, text=text)


async def _found(farm: Services, user: Identity, name: str) -> SlaveView:
    owner = None if asker(user, farm.settings).sees_all else user.id
    found = await farm.database.read(partial(views, server=farm.name, owner=owner, name=name))
    if not found:
        raise NotFound(f"There is no slave {name[:40]}.", hint="It may be retired, or another user's.")
    return found[0]


async def _own(farm: Services, user: Identity, name: str) -> int | None:
    """Return the id of a slave that the user may steer; None: it is another's."""
    try:
        return await farm.database.read(partial(slavekeys.own, name=name, asker=user))
    except Forbidden:
        return None
