"""`servers`: look for servers on the local network."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.connect import saved_logins
from farm.cli.options import Json
from farm.cli.output import emit, notice, table
from farm.client import discovery
from farm.protocol.discovery import Announced


def servers(
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long to wait for answers.")] = discovery.SECONDS,
    json: Json = False,
) -> None:
    """Look for servers on the local network, and list those that you are logged in to.

    Nothing is sent to any of them. To choose one: `distren login --server distren://NAME`.
    It is found by its name from then on, also when its address changes.
    """
    logins = saved_logins().servers
    found = discovery.servers(seconds)
    if json:
        known = [{"name": saved.name, "url": url, "user": saved.user} for url, saved in logins.items()]
        emit({"found": found, "logins": known})
        return
    names = {saved.name: saved.user for saved in logins.values()}
    rows = [[one.name, one.url, one.version, names.get(one.name, "")] for one in found]
    rows += [[saved.name, url, "", saved.user] for url, saved in logins.items() if not _among(saved.name, found)]
    table(("server", "address", "version", "logged in as"), rows)
    if not found:
        notice("No server announces itself on this network. (Some networks, and docker, don't pass mDNS on.)")


def _among(name: str, found: list[Announced]) -> bool:
    return any(one.name == name for one in found)
