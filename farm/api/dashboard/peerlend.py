"""`/servers/lend` and `/servers/borrow`: on which terms slaves of two servers render for each other; for admins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from farm.api.dependencies import Admin, Farm
from farm.api.peers import endpoints as api
from farm.api.services import Services
from farm.protocol.lending import Borrow, Lend
from farm.protocol.peers import PeerView
from farm.protocol.typed import message
from farm.words.errors import UnknownPeer

router = APIRouter(prefix="/servers")

GB = 10**9
"""Bytes: the form speaks of GB."""

Names = Annotated[str, Form(max_length=20_000)]
"""Names, with commas or spaces between them."""


@router.post("/lend")
async def lend(
    request: Request,
    admin: Admin,
    farm: Farm,
    name: Annotated[str, Form(max_length=63)] = "",
    slots: Annotated[int, Form()] = 100_000,
    hours: Annotated[str, Form(max_length=200)] = "",
    methods: Names = "",
    idle_only: Annotated[bool, Form()] = False,
    gb_per_day: Annotated[float, Form(ge=0, le=10**9)] = 0,
    minutes: Annotated[float, Form(ge=0, le=10**9)] = 0,
) -> Response:
    """Let slaves here that have nothing to do render for a peer; what the form has no field for stays."""
    peer = await _peer(farm, admin, name)
    said: dict[str, Any] = {"slots": slots, "hours": hours.strip(), "methods": _names(methods), "idle_only": idle_only}
    said |= {"bytes_per_day": round(gb_per_day * GB), "minutes": minutes}
    await api.lend(name, message(Lend, **{**(peer.lends or Lend()).model_dump(), **said}), admin, farm)
    return _back(request)


@router.post("/borrow")
async def borrow(
    request: Request,
    admin: Admin,
    farm: Farm,
    name: Annotated[str, Form(max_length=63)] = "",
    methods: Names = "",
    users: Names = "",
) -> Response:
    """Let slaves that a peer lends render jobs of this server; what the form has no field for stays."""
    peer = await _peer(farm, admin, name)
    said = {"methods": _names(methods), "users": _names(users)}
    wish = message(Borrow, **{**(peer.borrows or Borrow()).model_dump(), **said})
    await api.borrow(name, wish, admin, farm.database)
    return _back(request)


async def _peer(farm: Services, admin: Admin, name: str) -> PeerView:
    for peer in await api.peers(admin, farm):
        if peer.name == name:
            return peer
    raise UnknownPeer(f"This server exchanges no jobs with “{name}”.", hint="The page lists those it knows.")


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _back(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/servers", 303)
