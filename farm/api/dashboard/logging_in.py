"""`/login` and `/logout`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import SecretStr

from farm.api.accounts.endpoints import log_in, log_out
from farm.api.dashboard import cookie
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.protocol.accounts import LogIn
from farm.words.errors import DistrenError, Forbidden, WrongPassphrase

router = APIRouter()


@router.get("/login")
async def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - the address says it so
    """Show the form."""
    return page(request, "login.html", next=_inside(next), name="", trouble=None)


@router.post("/login")
async def enter(
    request: Request,
    farm: Farm,
    name: Annotated[str, Form(max_length=200)] = "",
    passphrase: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002
) -> Response:
    """Log in, and go where the person wanted to."""
    if not cookie.same_origin(dict(request.headers)):
        raise Forbidden("This login does not come from this server's own page.", hint="Open /login and try again.")
    try:
        wish = LogIn(name=name.strip(), passphrase=SecretStr(passphrase), device="browser")
        granted = await log_in(wish, request, farm)
    except (DistrenError, ValueError) as error:
        trouble = error if isinstance(error, DistrenError) else WrongPassphrase()
        return page(request, "login.html", status=trouble.status, next=_inside(next), name=name, trouble=trouble)
    root = request.scope.get("root_path", "")
    answer = RedirectResponse(root + _inside(next), 303)
    cookie.give(answer, granted.token, secure=request.url.scheme == "https", path=root)
    return answer


@router.post("/logout")
async def leave(request: Request, user: User, farm: Farm) -> Response:
    """Void the browser's token."""
    await log_out(user, farm)
    root = request.scope.get("root_path", "")
    answer = RedirectResponse(f"{root}/login", 303)
    cookie.take(answer, root)
    return answer


def _inside(address: str) -> str:
    """Return an address if it is one of this server's, else its first page: a login leads nowhere else."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() else "/"
