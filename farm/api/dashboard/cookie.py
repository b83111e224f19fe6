"""The browser's login: a token in a cookie that no script can read, and no other site can use."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import Scope

from farm.accounts.logins import LIFE
from farm.words.clock import SECOND

NAME = "distren"
SAFE = frozenset({"GET", "HEAD"})


def token(scope: Scope) -> str:
    """Return the token of a request's cookie; '' if it has none, or may not use it.

    The API takes a cookie for reading only. What changes something comes from a form of ours: the
    browser says so in `Sec-Fetch-Site`, older ones in `Origin`. That is the rule of Go's
    `net/http.CrossOriginProtection`, and needs no secret in each form.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["method"] not in SAFE and (scope["path"].startswith("/api/") or not same_origin(headers)):
        return ""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[NAME].value if NAME in jar and len(jar[NAME].value) < 500 else ""


def same_origin(headers: dict[str, str]) -> bool:
    """Tell whether a page of ours sent a request, as far as its browser says."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return bool(headers.get("origin")) and urlsplit(headers["origin"]).netloc == headers.get("host")


def give(response: Response, value: str, *, secure: bool, path: str = "") -> None:
    """Put a login's token into the browser.

    Args:
        response: the answer that does it.
        value: the token.
        secure: the page came by HTTPS; then the token never travels without it.
        path: below which the server is; others of its host never get the token.
    """
    response.set_cookie(
        NAME, value, max_age=LIFE // SECOND, httponly=True, samesite="lax", secure=secure, path=path or "/"
    )


def take(response: Response, path: str = "") -> None:
    """Take the token out of the browser."""
    response.delete_cookie(NAME, httponly=True, samesite="lax", path=path or "/")
