"""`bake`: bake what simulates in a .blend, here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blender_addon.inspection import Inspection
from farm.cli.connect import client_settings
from farm.cli.options import Json
from farm.cli.output import emit, frame_progress, notice, say
from farm.cli.renderers import found_blenders
from farm.methods.blender.bake import bake as bake_file
from farm.words.errors import DistrenError


def bake(
    file: Annotated[Path, typer.Argument(help="The .blend file.", show_default=False)],
    blender: Annotated[Path | None, typer.Option(metavar="PATH", help="The Blender that bakes.")] = None,
    json: Json = False,
) -> None:
    """Bake what simulates in a .blend into it, here, before you send it.

    Rigid bodies, cloth, soft bodies, dynamic paint, particles, fluid and simulation zones, up to their scene's last
    frame. Not hair: Blender renders none of it once it is baked. The file is saved; Blender keeps the former one as
    .blend1. Exit code 1 if something could not be baked.
    """
    blenders = found_blenders(client_settings(blender=blender))
    with frame_progress(quiet=json) as progress:
        bar = progress.add_task(f"Simulating {file.name}", total=None, note="")
        found = bake_file(file, blenders, lambda frame, last: progress.update(bar, completed=frame, total=last))
    left = _left(found)
    emit({"file": str(file), "left": left}) if json else _say(file, left)
    if left:
        raise typer.Exit(DistrenError.exit_code)


def _left(found: Inspection) -> list[str]:
    return list(dict.fromkeys(what for scene in found.scenes for what in scene.physics))


def _say(file: Path, left: list[str]) -> None:
    if left:
        notice(
            f"Could not be baked: {', '.join(left)}. One slave can render it: distren submit {file} --order in_order"
        )
    else:
        say(f"All that simulates in {file} is baked. Send it, with its caches: distren submit {file}")
