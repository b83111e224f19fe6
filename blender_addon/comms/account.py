"""Connect, register, log in, log out: what each thread of these does."""

from __future__ import annotations

import platform
from typing import Any

from . import logins
from .link import Link
from .messages import Connected, LoggedIn, LoggedOut
from .trouble import Trouble, stranger


def connect(link: Link) -> Connected:
    """Test an address, and the login for it if there is one.

    Raises:
        Trouble: says what is wrong with it.
    """
    with link.fresh() as own:
        return _connect(own)


def _connect(link: Link) -> Connected:
    info = _info(link)
    if not link.token:
        return Connected(info, "")
    try:
        user = link.call("GET", "/api/accounts/me")["name"]
    except Trouble as trouble:
        if trouble.code != "unauthenticated":
            raise
        # It was revoked, or is too old.
        logins.forget(link.server)
        return Connected(info, "")
    return Connected(info, user, link.call("GET", "/api/methods"))


def log_in(link: Link, name: str, passphrase: str) -> LoggedIn:
    """Get a token and keep it."""
    body = {"name": name, "passphrase": passphrase, "device": _device()}
    with link.fresh() as own:
        return _keep(link, own.call("POST", "/api/accounts/login", body))


def register(link: Link, name: str, passphrase: str, invite: str) -> LoggedIn:
    """Make an account, get a token, keep it."""
    body = {"name": name, "passphrase": passphrase, "invite": invite, "device": _device()}
    with link.fresh() as own:
        return _keep(link, own.call("POST", "/api/accounts/register", body))


def log_out(link: Link) -> LoggedOut:
    """Void the token, here and on the server."""
    logins.forget(link.server)
    try:
        with link.fresh() as own:
            own.call("POST", "/api/accounts/logout")
    except Trouble as trouble:
        if trouble.code != "unauthenticated":
            hint = "Log in and out again when the server answers, to make it void there, too."
            raise Trouble(f"Logged out here; the server did not hear of it: {trouble.message}", hint) from trouble
    return LoggedOut()


def _info(link: Link) -> dict[str, Any]:
    info = link.call("GET", "/api/server")
    if not isinstance(info, dict) or not {"name", "version", "methods"} <= set(info):
        raise stranger(link.server.partition("://")[2])
    return info


def _keep(link: Link, granted: dict[str, Any]) -> LoggedIn:
    login = logins.Login(link.server, granted["server"], granted["user"]["name"], granted["token"])
    logins.keep(login)
    return LoggedIn(login)


def _device() -> str:
    return f"Blender on {platform.node() or 'a machine'}"[:200]
