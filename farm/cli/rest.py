"""`rest`: have the slave of this machine rest for a while."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated

import typer

from farm.cli.options import Json
from farm.cli.output import emit, say
from farm.words.errors import Malformed, NotASetup
from farm.words.settings import SlaveSettings, load

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(m|min|h|d)?")
_SECONDS = {"m": 60, "min": 60, "h": 3600, "d": 86_400}


def rest(
    span: Annotated[str, typer.Argument(metavar="SPAN", help="For how long: 2h, 30m, 1d; 0: it goes on now.")],
    now: Annotated[
        bool, typer.Option("--now", help="Give back at once what renders, instead of finishing it.")
    ] = False,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="The slave's settings file.")] = None,
    json: Json = False,
) -> None:
    """Have the slave of this machine rest for a while; it finishes what renders within a minute, or gives it back.

    It needs no server, and no login but yours on this machine.
    """
    from farm.slave.folders import Folders
    from farm.slave.resting import rest_until

    until, settings = time.time() + _seconds(span), load(SlaveSettings, config)
    if not settings.key:
        raise NotASetup("There is no slave on this machine: slave.conf names no key.", hint="Name it by --config FILE.")
    rest_until(Folders.of(settings).state, until, at_once=now)
    if json:
        emit({"until": round(until)})
    else:
        say(f"The slave of this machine rests until {time.strftime('%Y-%m-%d %H:%M', time.localtime(until))}.")


def _seconds(span: str) -> float:
    found = _SPAN.fullmatch(span.strip().lower())
    if found is None:
        raise Malformed(f"“{span}” is no span of time.", hint="Write 2h, 30m or 1d.")
    return float(found[1]) * _SECONDS[found[2] or "h"]
