"""`/slaves`: machines, and keys for new ones."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from farm.accounts.slaveviews import views
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.slaves import endpoints as api
from farm.protocol.slaves import MakeSlaveKey
from farm.words.errors import Malformed, NotFound

router = APIRouter()


@router.get("/slaves")
async def slaves(request: Request, user: User, farm: Farm) -> Response:
    """List slaves."""
    everyone = user.is_admin or farm.settings.profile == "studio"
    owner = None if everyone else user.id
    return page(request, "slaves.html", slaves=await farm.database.read(partial(views, server=farm.name, owner=owner)))


@router.post("/slaves")
async def make(request: Request, user: User, farm: Farm, name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Make a slave key, and show it this once."""
    try:
        wish = MakeSlaveKey(name=name.strip())
    except ValidationError as error:
        raise Malformed("This is no name for a slave.", hint="Small letters, digits, - and _, up to 32.") from error
    made = await api.make_key(wish, user, farm)
    return page(request, "slavekey.html", made=made, url=str(request.base_url).rstrip("/"))


@router.post("/slaves/{name}/{verb}")
async def steer(name: str, verb: str, request: Request, user: User, farm: Farm) -> Response:
    """Pause, resume or retire a slave."""
    if verb == "retire":
        await api.retire(name, user, farm)
    elif verb in {"pause", "resume"}:
        await (api.pause if verb == "pause" else api.resume)(name, user, farm.database)
    else:
        raise NotFound(f"Nobody can {verb[:30]} a slave here.")
    return RedirectResponse(f"{request.scope.get('root_path', '')}/slaves", 303)
