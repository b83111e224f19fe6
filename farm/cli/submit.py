"""`submit`: send a file to the farm, with all that it uses."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from farm.cli.bringhome import BringHome
from farm.cli.connect import client_settings, connect
from farm.cli.draft import settings_given
from farm.cli.follow import Follower
from farm.cli.options import Frames, Json, Overwrite, Server, Yes
from farm.cli.output import emit, notice, say
from farm.cli.sending import Sending, describe, judge
from farm.cli.sources import draft_for
from farm.cli.unfinished import Unfinished
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import JobView
from farm.words.errors import Malformed
from farm.words.states import FrameOrder

RENDERING, WHERE, AFTER = "What to render", "Where and when", "And then"


def submit(
    source: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A .blend, .pov, .ini or package.")] = None,
    frames: Frames = None,
    scene: Annotated[
        str | None, typer.Option(help="The scene to render; usually the file's active one.", rich_help_panel=RENDERING)
    ] = None,
    camera: Annotated[str | None, typer.Option(help="The camera object.", rich_help_panel=RENDERING)] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Samples per pixel.", rich_help_panel=RENDERING)] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="PNG, OPEN_EXR, JPEG …", rich_help_panel=RENDERING)
    ] = None,
    resolution: Annotated[
        str | None, typer.Option(metavar="WxH", help="For example 1920x1080.", rich_help_panel=RENDERING)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any declared setting.", rich_help_panel=RENDERING),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="The render method; usually told by the file.", rich_help_panel=RENDERING)
    ] = None,
    name: Annotated[str, typer.Option(help="The job's name; usually the file's.", rich_help_panel=WHERE)] = "",
    project: Annotated[str, typer.Option(help="A label.", rich_help_panel=WHERE)] = "",
    comment: Annotated[str, typer.Option(help="A note.", rich_help_panel=WHERE)] = "",
    priority: Annotated[
        int, typer.Option(min=0, max=100, help="Of your own jobs, a higher one is sooner.", rich_help_panel=WHERE)
    ] = 50,
    max_slaves: Annotated[
        int | None, typer.Option(min=1, help="At most so many slaves at once.", rich_help_panel=WHERE)
    ] = None,
    slaves: Annotated[
        str, typer.Option(metavar="NAMES", help="Only these slaves: ws01,ws02.", rich_help_panel=WHERE)
    ] = "",
    not_slaves: Annotated[str, typer.Option(metavar="NAMES", help="Not these slaves.", rich_help_panel=WHERE)] = "",
    newer: Annotated[
        bool, typer.Option("--newer", help="A newer Blender than the file's will do too.", rich_help_panel=WHERE)
    ] = False,
    device: Annotated[
        Literal["file", "cpu", "gpu", "any"],
        typer.Option(
            help="What Cycles renders on: as the file says, cpu, gpu; any mixes, and their noise differs.",
            rich_help_panel=WHERE,
        ),
    ] = "file",
    version: Annotated[
        str,
        typer.Option(
            metavar="VERSION", help="Render with this Blender, e.g. 4.5.9; usually the file's.", rich_help_panel=WHERE
        ),
    ] = "",
    addons: Annotated[
        list[str] | None,
        typer.Option(
            "--addon",
            metavar="NAME[=VERSION]",
            help="An add-on that slaves enable for it; repeat for more.",
            rich_help_panel=WHERE,
        ),
    ] = None,
    approval: Annotated[
        bool,
        typer.Option("--approval", help="Pause after the first, middle and last frame.", rich_help_panel=WHERE),
    ] = False,
    paused: Annotated[
        bool, typer.Option("--paused", help="Render nothing until you resume it.", rich_help_panel=WHERE)
    ] = False,
    render_limit: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="A frame that takes longer hangs.",
            rich_help_panel=WHERE,
        ),
    ] = None,
    silence_limit: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="A frame without progress for so long hangs.", rich_help_panel=WHERE),
    ] = None,
    order: Annotated[
        FrameOrder | None,
        typer.Option(
            help="For what simulates and is not baked. in_order: one slave simulates and renders it from the start; "
            "any: send it as it is.",
            rich_help_panel=WHERE,
        ),
    ] = None,
    blender: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The Blender that reads the file.", rich_help_panel=AFTER)
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also if no slave can render it now.", rich_help_panel=AFTER)
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the job until it ends.", rich_help_panel=AFTER)] = False,
    fetch: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Bring files here as frames finish (and wait).", rich_help_panel=AFTER),
    ] = None,
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; send nothing.", rich_help_panel=AFTER)
    ] = False,
    server: Server = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send a .blend file, a POV-Ray scene or a package to the farm, with all that it uses.

    Frame range, format and scene are the file's own unless you say otherwise. Problems
    are named before anything is sent, and only files that the server lacks travel.
    With --wait the exit code is 0 if all frames are done, and 7 otherwise.
    """
    width, height = _resolution(resolution)
    named = {"scene": scene, "camera": camera, "samples": samples, "format": file_format}
    wishes = settings_given(settings or [], {**named, "resolution_x": width, "resolution_y": height})
    values: dict[str, Any] = {
        "name": name,
        "project": project,
        "comment": comment,
        "priority": priority,
        "max_slaves": max_slaves,
        "slaves": _names(slaves),
        "not_slaves": _names(not_slaves),
        "approval": approval,
        "paused": paused,
        **({} if order is None else {"order": order}),
        "limits": {"render_seconds": render_limit, "silence_seconds": silence_limit},
    }
    configured = client_settings(server, blender)
    with connect(server) as client, ExitStack() as kept:
        draft = draft_for(
            source, method, frames, wishes, values, newer=newer, device=device, settings=configured, kept=kept
        )
        draft = draft.needing(version, addons or [])
        sending = Sending(
            client,
            draft,
            quiet=json,
            parallel=configured.uploads,
            unfinished=Unfinished(client),
            hashes=configured.hashes if configured.remember_hashes else None,
        )
        report = sending.check()
        if dry_run and json:
            emit(report)
        judge(report, draft.values["name"], anyway=anyway or dry_run, yes=yes, quiet=json)
        if dry_run:
            if not json:
                describe(report)
            return
        view = sending.send()
        _told(view, as_json=json and not (wait or fetch))
        if wait or fetch:
            _follow(client, view, fetch, overwrite=overwrite, json=json)


def _told(view: JobView, *, as_json: bool) -> None:
    if as_json:
        emit(view)
        return
    notice(f"Job {view.job} “{view.name}” with {view.counts.total} frames is {view.state}.")


def _follow(client: FarmClient, view: JobView, folder: Path | None, *, overwrite: bool, json: bool) -> None:
    home = BringHome(client, view.job, folder, overwrite=overwrite) if folder else None
    try:
        Follower(client, view.job, quiet=json, on_done=home.bring if home else None).follow()
    finally:
        if json:
            emit(client.job(view.job))
    if home and folder:
        if not json:
            say(f"{len(home.haul.fetched)} files are in {folder}.")
        home.haul.complain(folder)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _resolution(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise Malformed(f"“{text}” is no resolution.", hint="Write for example --resolution 1920x1080.")
    return int(width), int(height)
