"""`join-code`: make, list and revoke the codes by which machines join."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.connect import connect, tidy
from farm.cli.options import Json, Server
from farm.cli.output import emit, notice, say, table
from farm.protocol.joining import JoinCodeView, MakeJoinCode


def join_code(
    machines: Annotated[int, typer.Option(min=1, max=1000, help="How many machines may join with it.")] = 1,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 31, help="Hours until it expires.")] = 24,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The server as those machines reach it; usually the server knows. "
            "distren://NAME: they find it by its name, on the local network.",
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the codes that still admit machines.")] = False,
    revoke: Annotated[str | None, typer.Option(metavar="NAME", help="Void a code; NAME is its first letters.")] = None,
    server: Server = None,
    json: Json = False,
) -> None:
    """Make a code by which machines join as slaves of yours (admins). It is shown this once.

    On each machine: `distren join CODE`. Nothing else has to be set up there.
    """
    with connect(server) as client:
        if revoke:
            client.revoke_join_code(revoke.strip().lower().partition("-")[0])
        if revoke or listed:
            _show(client.join_codes(), json=json)
            return
        wish = MakeJoinCode(machines=machines, hours=hours, address=tidy(address) if address else "")
        made = client.make_join_code(wish)
    if json:
        emit(made)
        return
    say(made.code)
    many = "one machine" if made.machines == 1 else f"{made.machines} machines"
    notice(f"Good for {many} until {made.expires:%Y-%m-%d %H:%M} UTC. There, with DistRen installed:")
    notice(f"  distren join {made.code}")


def _show(codes: list[JoinCodeView], *, json: bool) -> None:
    if json:
        emit(codes)
    elif not codes:
        notice("No code admits machines now. `distren join-code` makes one.")
    else:
        rows = ([c.name, c.owner, str(c.machines), f"{c.expires:%Y-%m-%d %H:%M} UTC"] for c in codes)
        table(("code", "owner", "machines", "until"), rows, right=("machines",))
