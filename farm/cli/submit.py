"""`submit`: send a file to the farm, with all that it uses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from farm.cli.bringhome import BringHome
from farm.cli.chain import Link, chained
from farm.cli.connect import Target, client_settings, connect
from farm.cli.draft import Draft
from farm.cli.follow import Follower
from farm.cli.grouped import grouped
from farm.cli.onlymissing import only_missing
from farm.cli.options import Former, Frames, Json, Overwrite, Server, Yes
from farm.cli.output import emit, notice, say
from farm.cli.retrying import retrying
from farm.cli.sending import Sending, describe, judge
from farm.cli.sound import sound_of
from farm.cli.sources import draft_for
from farm.cli.submitoptions import Combining, Rendering, Then, Where
from farm.cli.unfinished import Unfinished
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import JobView
from farm.words.errors import Malformed
from farm.words.settings import ClientSettings


@grouped
def submit(
    rendering: Rendering,
    combining: Combining,
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
    --bake makes a job of its own before it, --tiles and --video behind it; --json then tells of the last.
    With --wait the exit code is 0 if all frames are done, and 7 otherwise.
    """
    configured = client_settings(server, then.blender)
    with Target(where.update, server).client if where.update else connect(server) as client, ExitStack() as kept:
        draft = _draft(source, frames, rendering, where, configured, kept)
        if rendering.only_missing:
            draft = only_missing(draft, then.fetch)
        sound = sound_of(combining.audio, source, draft, configured, kept) if combining.video else None
        links = chained(draft, combining, client, sound)
        if links[1:] and where.update:
            raise Malformed(
                "A job can't get a bake, tiles or a video by --update.", hint="Make a new job, or retry its frames."
            )
        views = _send(links, _sending(client, configured, quiet=json), then, yes=yes, json=json)
        if views and then.follows:
            bring = partial(BringHome, client, overwrite=overwrite, keep=keep_former, on_stuck=retrying(quiet=json))
            for link, view in zip(links, views, strict=True):
                home = bring(view.job, then.fetch) if then.fetch and link.brings else None
                _follow(client, view, home, json=json and view is views[-1], quiet=json)


def _draft(
    source: Path | None,
    frames: str | None,
    rendering: Rendering,
    where: Where,
    settings: ClientSettings,
    kept: ExitStack,
) -> Draft:
    """Return the job as the person wants it."""
    draft = draft_for(
        source,
        rendering.method,
        frames,
        rendering.wishes(),
        where.values(),
        newer=where.newer,
        device=where.device,
        params=rendering.params,
        settings=settings,
        kept=kept,
    )
    return draft.needing(where.version, where.addons or [], where.wanted_tags, where.pool)


def _sending(client: FarmClient, settings: ClientSettings, *, quiet: bool) -> Callable[[Draft], Sending]:
    return partial(
        Sending,
        client,
        quiet=quiet,
        parallel=settings.uploads,
        unfinished=Unfinished(client),
        hashes=settings.hashes if settings.remember_hashes else None,
    )


def _send(
    links: list[Link], sending: Callable[[Draft], Sending], then: Then, *, yes: bool, json: bool
) -> list[JobView]:
    """Send the jobs, each after the one that it waits for; with --dry-run none."""
    first = sending(links[0].draft(None))
    _check(first, [sending(link.checked()) for link in links[1:]], then, yes=yes, json=json)
    if then.dry_run:
        return []
    views = [first.send()]
    for link in links[1:]:
        later = sending(link.draft(views[-1]))
        later.check()  # hashes its files; what it says was said before
        views.append(later.send())
    _told(views, as_json=json and not then.follows)
    return views


def _check(first: Sending, others: list[Sending], then: Then, *, yes: bool, json: bool) -> None:
    """Name what is wrong with the jobs before anything is sent; with --dry-run that is all."""
    judged = partial(judge, anyway=then.anyway or then.dry_run, yes=yes, quiet=json)
    report = first.check()
    if then.dry_run and json:
        emit(report)
    judged(report, first.name)
    for other in others:
        judged(other.check(), other.name)
    if then.dry_run and not json:
        describe(report)


def _told(views: list[JobView], *, as_json: bool) -> None:
    if as_json:
        emit(views[-1])
        return
    for view in views:
        version = f", version {view.version}," if view.version > 1 else ""
        notice(f"Job {view.job} “{view.name}”{version} with {view.counts.total} frames is {view.state}.")


def _follow(client: FarmClient, view: JobView, home: BringHome | None, *, json: bool, quiet: bool) -> None:
    try:
        Follower(client, view.job, quiet=quiet, on_done=home.bring if home else None).follow()
    finally:
        if json:
            emit(client.job(view.job))
    if home:
        if not quiet:
            say(f"{len(home.haul.fetched)} files are in {home.folder}{home.haul.aside()}.")
        home.haul.complain(home.folder)
