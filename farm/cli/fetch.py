"""`fetch`: bring a job's finished files home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.cli.bringhome import BringHome
from farm.cli.connect import Target
from farm.cli.options import Frames, Job, Json, Overwrite, Server
from farm.cli.output import byte_progress, emit, say, size
from farm.words.ranges import FrameRange


def fetch(
    job: Job,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where the files go; usually job12/.")
    ] = None,
    frames: Frames = None,
    overwrite: Overwrite = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Bring a job's finished files home: only what is not here yet.

    What broke off goes on where it stopped. A file of yours that differs from the
    farm's is left alone, and named, unless you say --overwrite.
    """
    wanted = FrameRange.parse(frames) if frames is not None else None
    target = Target(job, server)
    place = folder or Path(f"job{target.job}")
    with target.client as client, byte_progress(quiet=json) as progress:
        bar = progress.add_task("Fetching", total=None)
        home = BringHome(
            client,
            target.job,
            place,
            frames=wanted,
            overwrite=overwrite,
            on_bytes=lambda count: progress.advance(bar, count),
        )
        progress.update(bar, total=sum(file.size for file in home.listed()))
        home.all()
    haul = home.haul
    if json:
        emit({"folder": str(place), "fetched": haul.fetched, "here": haul.here, "differing": haul.differing})
    else:
        total = size(sum(file.size for file in haul.fetched))
        there = f"; {len(haul.here)} were here already" if haul.here else ""
        say(f"Fetched {len(haul.fetched)} files ({total}) to {place}{there}.")
    haul.complain(place)
