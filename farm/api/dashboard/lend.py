"""Forms on a slave's page: what its owner lends of it; its tags and its pool, which are admins' to say."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from farm.accounts.identity import Identity
from farm.api.dependencies import Admin, Farm, User
from farm.api.jobs.parts import asker
from farm.api.pools import endpoints as pools_api
from farm.api.pools.endpoints import Name
from farm.api.services import Services
from farm.api.terms import endpoints as terms_api
from farm.jobs import pools
from farm.protocol.pools import SlaveTags
from farm.protocol.slaveviews import SlaveView
from farm.protocol.terms import Accept, Terms
from farm.protocol.typed import message
from farm.words.clock import now

router = APIRouter(prefix="/slaves")

GB = 10**9
"""Bytes: forms speak of GB."""

Gigabytes = Annotated[float, Form(ge=0, le=10**9)]

ACCEPTS = {Accept.ALL: "everybody’s", Accept.FRIENDS: "its owner’s and their friends’", Accept.MINE: "its owner’s"}
"""Whose jobs, as pages say it."""


@router.post("/{name}/terms")
async def lend(
    name: str,
    request: Request,
    user: User,
    farm: Farm,
    cores: Annotated[int, Form(ge=0, le=100_000)] = 0,
    memory: Gigabytes = 0,
    disk: Gigabytes = 0,
    cards: Annotated[bool, Form()] = False,
    accept: Annotated[Accept, Form()] = Accept.ALL,
    methods: Annotated[list[str], Form(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Lend a slave on these terms from its next frames on; `memory` and `disk` in GB, 0 for no limit."""
    said = {"memory_bytes": round(memory * GB), "disk_bytes": round(disk * GB), "cards": cards, "accept": accept}
    await terms_api.say(name, message(Terms, cores=cores, methods=methods, **said), user, farm.database)
    return _back(request, name)


@router.post("/{name}/tags")
async def tag(
    name: Name, request: Request, admin: Admin, farm: Farm, tags: Annotated[str, Form(max_length=5000)] = ""
) -> Response:
    """Give a slave tags, instead of those that an admin gave it before."""
    wish = message(SlaveTags, tags=tags.replace(",", " ").split())
    await pools_api.tag_slave(name, wish, admin, farm)
    return _back(request, name)


@router.post("/{name}/pool")
async def put(
    name: Name, request: Request, admin: Admin, farm: Farm, pool: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Put a slave into a pool; without one, take it out of its own."""
    who = asker(admin, farm.settings)
    await farm.database.write(partial(pools.move, admin=who, slave=name, pool=pool, at=now()))
    return _back(request, name)


async def forms(farm: Services, user: Identity, slave: SlaveView) -> dict[str, Any]:
    """Return what the forms begin with, for whoever may steer the slave."""
    said = await terms_api.terms(slave.name, user, farm.database)
    own = {tag for offer in slave.offers for tag in offer.tags}
    known = await farm.database.read(pools.views) if user.is_admin else []
    return {
        "lent": said,
        "accepts": ACCEPTS,
        "methods": sorted({*said.methods, *(offer.method for offer in slave.offers)}),
        "given": [tag for tag in slave.tags if tag not in own],
        "pools": [pool.name for pool in known],
        "gb": GB,
    }


def _back(request: Request, name: str) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/slaves/{name}", 303)
