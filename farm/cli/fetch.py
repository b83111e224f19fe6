"""`fetch`: bring a job's finished files home."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from farm.cli import service
from farm.cli.bringhome import BringHome, Haul
from farm.cli.connect import Target, address, client_settings, connect, saved_logins
from farm.cli.fetchoptions import Following, Wanted
from farm.cli.grouped import grouped
from farm.cli.homeward import Homeward
from farm.cli.interruption import Interruption
from farm.cli.options import Json, Server, Yes
from farm.cli.output import byte_progress, emit, interactive, notice, say, size
from farm.cli.retrying import retrying
from farm.client.patience import persist
from farm.package.outputs import Outputs, read_outputs
from farm.protocol.jobs import JobView, OutputFile
from farm.words.errors import Conflict, Malformed, Refused


@grouped
def fetch(
    wanted: Wanted,
    following: Following,
    job: Annotated[
        str | None,
        typer.Argument(
            metavar="[JOB[/FRAME]]",
            help="A job (12) or a frame of it (12/3). With --follow: a folder for all of yours.",
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where the files go; usually job12/.")
    ] = None,
    server: Server = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Bring a job's finished files home, or those of one frame (12/3): only what is not here yet.

    Also while it renders. What broke off goes on where it stopped. A file of yours that differs from the
    farm's is left alone, and named, unless you say
    --overwrite, or --keep-former, which moves yours into a folder `former` beside. With --home you are
    asked before anything is written outside of FOLDER.

    `distren fetch --follow FOLDER` brings all your jobs home as their frames finish, each into
    a folder of its own, through restarts of either side. Files of yours that differ go
    into a folder `former`.
    """
    if following.follow:
        _follow_all(Path(job or "."), server, following, json=json)
        return
    if job is None:
        hint = "distren fetch 12; or all as they finish: distren fetch --follow FOLDER"
        raise Malformed("Which job?", hint=hint)
    target = Target(job, server)
    if wanted.bundle is not None:
        _bundle(target, wanted, wanted.bundle, json=json)
        return
    place = folder or Path(f"job{target.job}")
    home, homes = _bring(target, place, wanted, yes=yes, json=json)
    _told(home.haul, place, homes, json=json)


def _bring(target: Target, place: Path, wanted: Wanted, *, yes: bool, json: bool) -> tuple[BringHome, Outputs]:
    """Bring the files, with progress; return what was brought, and the places at home that it went to."""
    frames = target.frames(wanted.frames)
    with target.client as client:
        view = client.job(target.job)
        homes = _homes(view, yes=yes) if wanted.at_home else Outputs()
        with byte_progress(quiet=json) as progress:
            bar = progress.add_task("Fetching", total=None)
            home = BringHome(
                client,
                target.job,
                place,
                frames=frames,
                overwrite=wanted.overwrite,
                keep=wanted.keep_former,
                version=wanted.version,
                homes=homes,
                sets={one.name for one in view.sets if one.name},
                on_bytes=lambda count: progress.advance(bar, count),
                on_stuck=retrying(quiet=json),
            )
            progress.update(bar, total=sum(file.size for file in home.listed()))
            home.all()
    return home, homes


def _told(haul: Haul, place: Path, homes: Outputs, *, json: bool) -> None:
    """Say what came where, and what differs."""
    if json:
        places = {p.folder: p.home for p in homes.places}
        found = {"fetched": haul.fetched, "here": haul.here, "differing": haul.differing, "former": haul.kept}
        emit({"folder": str(place), "homes": places, **found})
    else:
        total = size(sum(file.size for file in haul.fetched))
        there = f"; {len(haul.here)} were here already" if haul.here else ""
        to = ", ".join(dict.fromkeys(p.home for p in homes.places)) or str(place)
        say(f"Fetched {len(haul.fetched)} files ({total}) to {to}{there}{haul.aside()}.")
    haul.complain("these places" if homes.places else place)


def _bundle(target: Target, wanted: Wanted, file: Path, *, json: bool) -> None:
    """Bring the newest files as one tar."""
    found = target.frames(wanted.frames)
    if file.exists() and not wanted.overwrite:
        raise Conflict(f"{file} is here already.", hint="Name another file, or say --overwrite.")
    frames = None if found is None else str(found)
    with target.client as client, byte_progress(quiet=json) as progress, Interruption() as interruption:
        bar = progress.add_task("Fetching", total=None)
        watch = interruption.guard(lambda count: progress.advance(bar, count))
        persist(lambda count: client.fetch_bundle(target.job, frames, file, count), watch, retrying(quiet=json))
    length = file.stat().st_size
    if json:
        emit({"file": str(file), "size": length})
    else:
        say(f"{file} ({size(length)}) has what is finished of {target.address}.")


def _follow_all(folder: Path, server: str | None, following: Following, *, json: bool) -> None:
    """Bring all jobs home, for ever; or have a service do it."""
    folder.mkdir(parents=True, exist_ok=True)
    with connect(server) as client:
        if following.as_service:
            _serve(folder, server, everyone=following.everyone)
            return
        owner = None if following.everyone else client.me().name

        def fetched(view: JobView, files: list[OutputFile]) -> None:
            where = folder / f"job{view.job}"
            if json:
                emit({"job": view.job, "folder": str(where), "files": files})
            else:
                say(f"Job {view.job}: {len(files)} files to {where} ({view.counts.done} of {view.counts.total} frames)")

        Homeward(client, folder, owner, fetched, notice).run()


def _serve(folder: Path, server: str | None, *, everyone: bool) -> None:
    where = address(client_settings(server), saved_logins())
    more = ["--everyone"] if everyone else []
    argv = [
        sys.executable,
        "-m",
        "farm.cli.main",
        "fetch",
        "--follow",
        str(folder.absolute()),
        "--server",
        where,
        *more,
    ]
    how, started = service.install(service.Service("distren-fetch", "DistRen: brings rendered pictures home", argv))
    state = f"started. Look at it: {how.look}" if started else "for a system that is not running here"
    say(f"service: {how.file}, {state}")


def _homes(job: JobView, *, yes: bool) -> Outputs:
    """Return the places at home of a job's files, once the person has agreed to them.

    Raises:
        Refused: there is none on this machine, or nobody said yes.
    """
    told = read_outputs(job.settings)
    homes = told.here()
    if not homes.places:
        raise Refused(f"Job {job.job} names no folder of this machine.", hint="Fetch it without --home.")
    for other in sorted({p.home for p in told.places} - {p.home for p in homes.places}):
        notice(f"“{other}” is no folder of this machine: its files stay together with the rest.")
    folders = ", ".join(dict.fromkeys(p.home for p in homes.places))
    if not yes and not (interactive() and typer.confirm(f"The files go to {folders}. Go on?", err=True)):
        raise Refused(f"Nothing was written to {folders}.", hint="Say --yes if these are the places you mean.")
    return homes
