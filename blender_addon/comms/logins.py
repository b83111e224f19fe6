"""The logins of this user, in the file that the `distren` command keeps, too: log in once for both.

The file is readable by its owner only. Blender's own preferences hold no token.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from .folders import read_json, user_folder, write_json


@dataclass(frozen=True)
class Login:
    """A login: the server's address and own name, the user's name, and the token."""

    server: str
    name: str
    user: str
    token: str


def file() -> str:
    """Return the path of the logins' file."""
    return os.path.expanduser(os.environ.get("DISTREN_TOKENS") or os.path.join(user_folder("config"), "tokens.json"))


def find(server: str) -> Login | None:
    """Return the login for a server, or None."""
    saved = _read()["servers"].get(server)
    try:
        return Login(server, saved["name"], saved["user"], saved["token"])
    except (KeyError, TypeError):
        return None


def current() -> str:
    """Return the address of the server last logged in to; empty if there is none."""
    return str(_read()["current"])


def keep(login: Login) -> None:
    """Keep a login and make it the current one."""
    logins = _read()
    logins["servers"][login.server] = {"name": login.name, "user": login.user, "token": login.token}
    logins["current"] = login.server
    write_json(file(), logins)


def forget(server: str) -> None:
    """Forget a login."""
    logins = _read()
    logins["servers"].pop(server, None)
    if logins["current"] == server:
        logins["current"] = next(iter(logins["servers"]), "")
    write_json(file(), logins)


def _read() -> dict[str, Any]:
    known = read_json(file())
    if not isinstance(known, dict) or not isinstance(known.get("servers"), dict):
        return {"current": "", "servers": {}}
    return {"current": known.get("current", ""), "servers": known["servers"]}
