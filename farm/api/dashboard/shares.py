"""`/shares`: on what terms the farm is shared, and which slaves are for whom; admins change both."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from farm.api.dashboard.question import Question
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Admin, Farm, User
from farm.api.pools import endpoints as pools
from farm.api.shares import endpoints as api
from farm.protocol.pools import PoolView, PoolWish, SlaveTags
from farm.protocol.shares import ShareTerms, UserShareWish
from farm.protocol.typed import message
from farm.words.errors import Malformed

router = APIRouter(prefix="/shares")

Names = Annotated[str, Form(max_length=100_000)]
"""Names, with commas or spaces between them."""

_NEW = PoolView(name="", slaves=[], users=[])


@router.get("")
async def shares(
    request: Request, user: User, farm: Farm, pool: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Show the terms and the pools; `pool` is the one whose form is filled in."""
    found = await pools.list_pools(user, farm.database)
    chosen = next((one for one in found if one.name == pool), _NEW)
    return page(request, "shares.html", terms=await api.see(user, farm), pools=found, chosen=chosen)


@router.post("/terms")
async def change(
    request: Request,
    admin: Admin,
    farm: Farm,
    half_life: Annotated[float, Form()],
    points_weight: Annotated[float, Form()],
    unserved: Annotated[float, Form()],
) -> Response:
    """Change the terms; what stays as it is, is not on record."""
    now = await api.see(admin, farm)
    said = {"half_life_minutes": half_life, "points_weight": points_weight, "unserved_minutes": unserved}
    was = now.model_dump() | ({"half_life_minutes": now.next_half_life_minutes} if now.next_half_life_minutes else {})
    others = {name: value for name, value in said.items() if value != was[name]}
    if others:
        await api.change(message(ShareTerms, **others), admin, farm)
    return _back(request)


@router.post("/user")
async def change_user(
    request: Request,
    admin: Admin,
    farm: Farm,
    user: Annotated[str, Form(max_length=100)] = "",
    weight: Annotated[float, Form()] = 1,
    slots: Annotated[int, Form()] = 0,
) -> Response:
    """Say how much of the farm a user gets beside others, and how many slots at most; 0: as many as others."""
    await api.change_user(user.strip().lower(), message(UserShareWish, weight=weight, slots=slots), admin, farm)
    return _back(request)


@router.post("/pool")
async def put(
    request: Request, admin: Admin, farm: Farm, name: Names = "", slaves: Names = "", users: Names = ""
) -> Response:
    """Make a pool, or make it another."""
    wish = message(PoolWish, slaves=_names(slaves), users=_names(users))
    (named,) = message(SlaveTags, tags=_names(name)).tags[:1] or [""]
    if not named:
        raise Malformed("A pool needs a name.", hint="Small letters and digits, such as heavy.")
    await pools.put_pool(named, wish, admin, farm)
    return _back(request)


@router.post("/pool/{name}/remove")
async def remove(
    name: pools.Name, request: Request, admin: Admin, farm: Farm, sure: Annotated[bool, Form()] = False
) -> Response:
    """Undo a pool, once that is sure."""
    if not sure:
        return page(request, "sure.html", question=_undoing(name))
    await pools.remove_pool(name, admin, farm)
    return _back(request)


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _undoing(name: str) -> Question:
    becomes = "Its slaves are for everybody again. Jobs that name it wait until they name none, or it is back."
    return Question("remove", f"Undo the pool {name}?", becomes, f"/shares/pool/{name}/remove", "/shares", word="undo")


def _back(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/shares", 303)
