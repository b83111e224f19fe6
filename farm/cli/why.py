"""`why`, `first`."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

import typer

from farm.cli.connect import Target
from farm.cli.options import Job, JobOrFrame, Json, Server
from farm.cli.output import emit, say, table


def why(job: JobOrFrame, server: Server = None, json: Json = False) -> None:
    """Say why a job or a frame waits, and of each slave that got the frame, why it was this one's turn."""
    target = Target(job, server)
    with target.client as client:
        view = client.why(target.job, target.address.frame)
    if json:
        emit(view)
        return
    say(f"{view.address} is {view.state}.")
    for reason in view.reasons:
        say(reason[:1].upper() + reason[1:])
    if view.assignments:
        when = [one.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") for one in view.assignments]
        rows = ([at, one.slave, one.state, one.why] for at, one in zip(when, view.assignments, strict=True))
        table(("time", "slave", "attempt", "why"), rows)


def first(
    job: Job,
    hold_others: Annotated[
        bool, typer.Option("--hold-others", help="Nothing else is rendered until the job has ended.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: the job comes in its turn again.")] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Have a job rendered before all others (admins). It is on record: `distren users --deeds`."""
    target = Target.of_job(job, server)
    with target.client as client:
        view = client.put_back(target.job) if undo else client.put_first(target.job, hold_others=hold_others)
    if json:
        emit(view)
        return
    said = {0: "comes in its turn", 1: "comes before all others", 2: "is rendered alone: all others wait"}
    say(f"Job {view.job} “{view.name}” {said.get(view.rush, '')}.")
