"""`slaves upgrade`: bring slaves to the server's version."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.connect import connect
from farm.cli.options import Json, Server
from farm.cli.output import emit, notice, table
from farm.cli.rollout import Rollout
from farm.protocol.slaveviews import SlaveView
from farm.words.errors import Conflict, Malformed


def upgrade(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="These slaves.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All slaves.")] = False,
    at_once: Annotated[int, typer.Option(min=1, help="How many are upgraded at the same time.")] = 2,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Go on with others after one failed; usually none is begun any more.")
    ] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Bring slaves to the server's version, a few at a time.

    Each fetches it while it renders, finishes what it renders, gives back the rest, renders a test frame with the new
    version, and goes on as that; if anything fails, it goes on as before. Slaves that are off or rest do it later.
    """
    if bool(names) == everyone:
        raise Malformed("Name slaves, or say --all.")
    with connect(server) as client:
        wanted = names or [slave.name for slave in client.slaves() if _can(slave)]
        told = _silence if json else _told
        rollout = Rollout(client, list(dict.fromkeys(wanted)), at_once, keep_going=keep_going, tell=told)
        rollout.run()
    if json:
        emit({"slaves": rollout.results, "failed": rollout.failed})
    elif rollout.results:
        table(("slave", "result"), rollout.results.items())
    else:
        notice("There is no slave that can be brought up to date from here.")
    if rollout.failed:
        reached = f"{len(rollout.failed)} of {len(rollout.results)} slaves"
        raise Conflict(f"{reached} were not upgraded; they go on as before.", hint="`distren slaves` says why.")


def _can(slave: SlaveView) -> bool:
    """Tell whether a slave is one of DistRen's own; others leave their build out."""
    return bool(slave.build)


def _told(name: str, what: str) -> None:
    notice(f"{name}: {what}")


def _silence(_name: str, _what: str) -> None:
    pass
