"""`slaves test`, `log`, `rest`, `wake`, `restart` and `end`: what slaves are asked to do from afar, many at once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated

import typer

from farm.cli.connect import connect
from farm.cli.options import Json, Server
from farm.cli.output import emit, say, table
from farm.client.errandcalls import ErrandCalls
from farm.client.farmclient import FarmClient
from farm.protocol.errands import LONGEST_REST, ErrandView, SendErrand
from farm.words.errands import Errand
from farm.words.errors import Conflict, DistrenError, Malformed
from farm.words.states import SlaveState

LOOK = 0.3
"""Seconds between two looks at an errand that is waited for."""

PATIENCE = 300.0
"""Seconds: a first frame of EEVEE compiles its shaders for half a minute, and there may be several renderers."""

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="These slaves.")]
Everyone = Annotated[bool, typer.Option("--all", help="All slaves that are awake.")]

_OVER = frozenset({"done", "failed", "replaced"})


def add_to(app: typer.Typer) -> None:
    """Make the errands verbs of `slaves`."""
    app.command("test")(try_out)
    for verb in (log, rest, wake, restart, end):
        app.command(verb.__name__)(verb)


def try_out(names: Names = None, everyone: Everyone = False, server: Server = None, json: Json = False) -> None:
    """Have slaves render a test frame with each of their renderers, beside their work; say how it went."""
    _run(SendErrand(errand=Errand.TEST), names, everyone=everyone, server=server, json=json, wait=True)


def log(names: Names = None, everyone: Everyone = False, server: Server = None, json: Json = False) -> None:
    """Show the end of slaves' logs: what they wrote since their start, 1,000 lines at most."""
    _run(SendErrand(errand=Errand.LOG), names, everyone=everyone, server=server, json=json, wait=True)


def rest(
    names: Names = None,
    hours: Annotated[float, typer.Option(help="For how long; a week at most.")] = 2,
    everyone: Everyone = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Have slaves render nothing for a while; what renders is finished, or given back."""
    if not 0 < hours * 3600 <= LONGEST_REST:
        raise Malformed("Slaves rest for a week at most.", hint="`distren slaves --pause NAME` is for longer.")
    wish = SendErrand(errand=Errand.REST, seconds=hours * 3600)
    _run(wish, names, everyone=everyone, server=server, json=json)


def wake(names: Names = None, everyone: Everyone = False, server: Server = None, json: Json = False) -> None:
    """End the rest of slaves that a person wanted."""
    _run(SendErrand(errand=Errand.WAKE), names, everyone=everyone, server=server, json=json)


def restart(names: Names = None, everyone: Everyone = False, server: Server = None, json: Json = False) -> None:
    """Have slaves finish what renders, end, and begin anew."""
    _run(SendErrand(errand=Errand.RESTART), names, everyone=everyone, server=server, json=json)


def end(
    names: Names = None,
    now: Annotated[bool, typer.Option("--now", help="Give back at once what renders.")] = False,
    everyone: Everyone = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Have slaves finish what renders, and end; somebody has to start them again on their machines."""
    wish = SendErrand(errand=Errand.STOP_NOW if now else Errand.STOP)
    _run(wish, names, everyone=everyone, server=server, json=json)


def _run(
    wish: SendErrand, names: list[str] | None, *, everyone: bool, server: str | None, json: bool, wait: bool = False
) -> None:
    """Send slaves on an errand, all of them before the first is waited for; what one refuses is no other's."""
    if bool(names) == everyone:
        raise Malformed("Name slaves, or say --all.")
    with connect(server) as client:
        calls = ErrandCalls(client)
        sent, refused = _sent(calls, names or _awake(client), wish)
        seen = {name: _waited(calls, name, one) if wait else one for name, one in sent.items()}
        logs = {name: calls.text(name, one.number) for name, one in seen.items() if one.shows}
    results = {name: _words(one, logs.get(name)) for name, one in seen.items()} | refused
    if json:
        emit({"slaves": results, "refused": sorted(refused)})
    elif logs:
        for name, text in results.items():
            say(f"== {name}\n{text}".rstrip() if len(results) > 1 else text.rstrip())
    else:
        table(("slave", "result"), results.items())
    failed = sorted({*refused, *(name for name, one in seen.items() if one.stage == "failed")})
    if failed:
        raise Conflict(f"{len(failed)} of {len(results)} slaves did not do it: {', '.join(failed)}.")


def _awake(client: FarmClient) -> list[str]:
    away = (SlaveState.OFFLINE, SlaveState.RETIRED)
    return [slave.name for slave in client.slaves() if slave.build and slave.state not in away]


def _sent(calls: ErrandCalls, names: Iterable[str], wish: SendErrand) -> tuple[dict[str, ErrandView], dict[str, str]]:
    sent, refused = dict[str, ErrandView](), dict[str, str]()
    for name in dict.fromkeys(names):
        try:
            sent[name] = calls.send(name, wish)
        except DistrenError as error:
            refused[name] = error.message
    return sent, refused


def _waited(calls: ErrandCalls, name: str, sent: ErrandView) -> ErrandView:
    """Return an errand when it is over, or as it is when nobody would wait any longer."""
    tries = round(PATIENCE / LOOK)
    for _ in range(tries):
        seen = calls.look(name, sent.number) or sent
        if seen.stage in _OVER:
            return seen
        time.sleep(LOOK)
    return sent


def _words(one: ErrandView, shown: str | None) -> str:
    return shown if shown is not None else one.message or one.stage
