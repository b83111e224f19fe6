"""`slaves doubts`: frames that others drew otherwise, where an admin has to say who is right."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.connect import connect
from farm.cli.options import Json, Server
from farm.cli.output import ago, emit, notice, table
from farm.client.doubtcalls import DoubtCalls
from farm.protocol.doubts import DoubtView
from farm.words.errors import Malformed


def doubts(
    trust: Annotated[
        str | None,
        typer.Option(metavar="SLAVE", help="Its build of the renderer is right: trust it on its owner's machines."),
    ] = None,
    distrust: Annotated[
        str | None, typer.Option(metavar="SLAVE", help="Trust no builds on its owner's machines any more.")
    ] = None,
    convict: Annotated[
        str | None,
        typer.Option(metavar="SLAVE", help="It is false: retire it, and render again what nobody has checked."),
    ] = None,
    server: Server = None,
    json: Json = False,
) -> None:
    """List frames that others drew otherwise than the slave that had them, and say who is right (admins).

    None of the others has the slave's very build of the renderer, so nothing but your eyes can tell.
    """
    if sum(name is not None for name in (trust, distrust, convict)) > 1:
        raise Malformed("Only one of --trust, --distrust and --convict at a time.")
    with connect(server) as client:
        calls = DoubtCalls(client)
        if trust is not None:
            notice(f"Trusted from now on: {', '.join(calls.trust(trust))}.")
        if distrust is not None:
            notice(f"Not trusted any more: {', '.join(calls.distrust(distrust))}.")
        if convict is not None:
            calls.convict(convict)
            notice(f"{convict} is retired; what nobody has checked is rendered again.")
        found = calls.doubts()
        url = client.server
    if json:
        emit(found)
    else:
        _show(found, url)


def _show(found: list[DoubtView], url: str) -> None:
    if not found:
        notice("Nothing is in doubt.")
        return
    titles = ("slave", "owner", "frame", "renderer", "part", "others", "rendered", "")
    table(titles, map(_row, found))
    for slave in sorted({one.slave for one in found}):
        notice(f"See both pictures: {url}/slaves/{slave}#doubts")


def _row(one: DoubtView) -> list[str]:
    part = one.tile or "whole"
    return [
        one.slave,
        one.owner,
        f"{one.job}/{one.frame}",
        one.build,
        part,
        ", ".join(one.others),
        ago(one.at),
        one.said,
    ]
