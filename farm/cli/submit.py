"""`submit`: send a file to the farm, with all that it uses."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from farm.cli.bringhome import BringHome
from farm.cli.connect import Target, client_settings, connect
from farm.cli.follow import Follower
from farm.cli.grouped import grouped
from farm.cli.onlymissing import only_missing
from farm.cli.options import Former, Frames, Json, Overwrite, Server, Yes
from farm.cli.output import emit, notice, say
from farm.cli.retrying import retrying
from farm.cli.sending import Sending, describe, judge
from farm.cli.sources import draft_for
from farm.cli.submitoptions import Rendering, Then, Where
from farm.cli.unfinished import Unfinished
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import JobView


@grouped
def submit(
    rendering: Rendering,
    where: Where,
    then: Then,
    source: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A .blend, .pov, .ini or package.")] = None,
    frames: Frames = None,
    overwrite: Overwrite = False,
    keep_former: Former = False,
    server: Server = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send a .blend file, a POV-Ray scene or a package to the farm, with all that it uses.

    Frame range, format and scene are the file's own unless you say otherwise. Problems
    are named before anything is sent, and only files that the server lacks travel.
    With --wait the exit code is 0 if all frames are done, and 7 otherwise.
    """
    configured = client_settings(server, then.blender)
    with Target(where.update, server).client if where.update else connect(server) as client, ExitStack() as kept:
        draft = draft_for(
            source,
            rendering.method,
            frames,
            rendering.wishes(),
            where.values(),
            newer=where.newer,
            device=where.device,
            params=rendering.params,
            settings=configured,
            kept=kept,
        ).needing(where.version, where.addons or [])
        if rendering.only_missing:
            draft = only_missing(draft, then.fetch)
        sending = Sending(
            client,
            draft,
            quiet=json,
            parallel=configured.uploads,
            unfinished=Unfinished(client),
            hashes=configured.hashes if configured.remember_hashes else None,
        )
        report = sending.check()
        if then.dry_run and json:
            emit(report)
        judge(report, draft.values["name"], anyway=then.anyway or then.dry_run, yes=yes, quiet=json)
        if then.dry_run:
            if not json:
                describe(report)
            return
        view = sending.send()
        follows = then.wait or then.fetch
        _told(view, as_json=json and not follows)
        if follows:
            stuck = retrying(quiet=json)
            home = (
                BringHome(client, view.job, then.fetch, overwrite=overwrite, keep=keep_former, on_stuck=stuck)
                if then.fetch
                else None
            )
            _follow(client, view, home, json=json)


def _told(view: JobView, *, as_json: bool) -> None:
    if as_json:
        emit(view)
        return
    version = f", version {view.version}," if view.version > 1 else ""
    notice(f"Job {view.job} “{view.name}”{version} with {view.counts.total} frames is {view.state}.")


def _follow(client: FarmClient, view: JobView, home: BringHome | None, *, json: bool) -> None:
    try:
        Follower(client, view.job, quiet=json, on_done=home.bring if home else None).follow()
    finally:
        if json:
            emit(client.job(view.job))
    if home:
        if not json:
            say(f"{len(home.haul.fetched)} files are in {home.folder}{home.haul.aside()}.")
        home.haul.complain(home.folder)
