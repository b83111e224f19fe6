"""`benchmark`: measure a slave."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from farm.cli.connect import connect
from farm.cli.follow import Follower
from farm.cli.options import Json, Server
from farm.cli.output import ago, emit, notice, table
from farm.client.usercalls import UserCalls
from farm.protocol.points import RatingView
from farm.words.errors import JobFailed

_PATIENCE = 30.0
"""Seconds that a server may take to rate a job that is done."""


def benchmark(
    slave: Annotated[str, typer.Argument(help="The slave's name: one of yours.")],
    show: Annotated[bool, typer.Option("--show", help="Measure nothing: show what it was measured at.")] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Measure a slave of yours: it renders our own scenes, with each renderer that there is one for.

    Slaves are measured by themselves, too, when they idle. Do it while nothing else renders there. A rating counts no
    more than the reference machine's until a slave of another owner has drawn the same pixels.
    """
    with connect(server) as client:
        calls = UserCalls(client)
        if not show:
            for one in sorted((one for one in calls.measure(slave) if not one.over), key=lambda one: one.job):
                notice(f"{one.method}: job {one.job}")
                _follow(Follower(client, one.job, quiet=json))
            _rated(calls, slave)
        found = calls.ratings(slave)
    if json:
        emit(found)
    else:
        titles = ("renderer", "power", "a minute", "measured", "why", "job", "")
        table(titles, map(_row, found), right=("power", "a minute"))


def _follow(follower: Follower) -> None:
    try:
        follower.follow()
    except JobFailed as error:
        notice(error.message)


def _rated(calls: UserCalls, slave: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not all(one.over for one in calls.ratings(slave)) and time.monotonic() < end:
        time.sleep(0.5)


def _row(one: RatingView) -> list[str]:
    power = "" if one.power is None else f"{one.power:.3f}"
    rate = "" if one.throughput is None else f"{one.throughput:.3f}"
    state = "provisional: counts no more than 1" if one.provisional else "confirmed"
    said = state if one.power is not None else "failed" if one.over else "is being measured"
    return [f"{one.method} {one.version}".strip(), power, rate, ago(one.at), one.cause, str(one.job), said]
