"""`watch`: follow a job, a frame, or the whole farm, live."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from farm.cli.connect import Target, connect
from farm.cli.follow import Follower
from farm.cli.options import Json, Server
from farm.cli.output import emit, say
from farm.cli.watchframe import watch_frame
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import FarmEvent


def watch(
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB[/FRAME]]", help="A job, or a frame of it; left out: the whole farm.")
    ] = None,
    server: Server = None,
    json: Json = False,
) -> None:
    """Follow a job, a frame, or the whole farm, as it happens.

    With a job or a frame it ends when that does, with exit code 0 if all is done and 7
    otherwise. Without one it goes on until Ctrl-C. With --json it prints one event a line.
    """
    if job is None:
        with connect(server) as client:
            _farm(client, as_json=json)
        return
    target = Target(job, server)
    with target.client as client:
        if target.address.frame is not None:
            watch_frame(client, target.job, target.frame, as_json=json)
            return
        listener = emit if json else None
        Follower(client, target.job, quiet=json, on_event=listener).follow()


def _farm(client: FarmClient, *, as_json: bool) -> None:
    for event in client.events():
        emit(event) if as_json else say(told(event))


def told(event: FarmEvent) -> str:
    """Return an event as a line for people."""
    time = event.at.astimezone().strftime("%H:%M:%S")
    what = f"job {event.job}" if event.job is not None else f"slave {event.slave}" if event.slave else "farm"
    return f"{time}  {what}: {_data(event.kind, event.data)}"


def _data(kind: str, data: dict[str, Any]) -> str:
    if kind == "frames" and isinstance(data.get("ranges"), dict):
        return ", ".join(f"{state} {frames}" for state, frames in data["ranges"].items())
    if kind == "reset":
        return "some events were missed"
    return ", ".join(f"{key} {value}" for key, value in data.items()) or f"{kind} changed"
