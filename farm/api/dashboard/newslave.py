"""`/newslave`: keys and join codes for machines that are to render."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from farm.accounts import joincodes
from farm.api.dashboard.rendering import here, page
from farm.api.dependencies import Admin, Farm, User
from farm.api.install.endpoints import PATH as WHEEL
from farm.api.slaves import endpoints as api
from farm.protocol.joining import MakeJoinCode, MakeSlaveKey
from farm.words.clock import now
from farm.words.errors import Malformed

router = APIRouter(prefix="/newslave")


@router.get("")
async def ask(request: Request, user: User, farm: Farm) -> Response:
    """Show the ways for a machine to become a slave."""
    codes = await farm.database.read(partial(joincodes.views, at=now())) if user.is_admin else []
    return page(request, "newslave.html", codes=codes, url=here(request))


@router.post("")
async def make(request: Request, user: User, farm: Farm, name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Make a slave key, and show it this once."""
    try:
        wish = MakeSlaveKey(name=name.strip())
    except ValidationError as error:
        raise Malformed("This is no name for a slave.", hint="Small letters, digits, - and _, up to 32.") from error
    made = await api.make_key(wish, user, farm)
    return page(request, "slavekey.html", made=made, url=here(request), wheel=WHEEL)


@router.post("/code")
async def code(
    request: Request,
    admin: Admin,
    farm: Farm,
    machines: Annotated[int, Form(ge=1, le=1000)] = 1,
    hours: Annotated[float, Form(gt=0, le=744)] = 24,
) -> Response:
    """Make a join code, and show it this once."""
    made = await api.make_join_code(MakeJoinCode(machines=machines, hours=hours), admin, farm)
    return page(request, "joincode.html", made=made, url=farm.url, wheel=WHEEL)


@router.post("/code/{name}/revoke")
async def revoke(name: str, request: Request, admin: Admin, farm: Farm) -> Response:
    """Void a join code."""
    await api.revoke_join_code(name, admin, farm.database)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/newslave", 303)
