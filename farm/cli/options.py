"""Options that many verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.cli.errors import JSON


def _note_json(ctx: typer.Context, value: bool) -> bool:
    ctx.meta[JSON] = value
    return value


Json = Annotated[
    bool, typer.Option("--json", callback=_note_json, is_eager=True, help="Print JSON (docs/reference/json.md).")
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="The server: its address, or the name of one that you are logged in to. Usually the last.",
    ),
]
Data = Annotated[str | None, typer.Option(metavar="FOLDER", help="The server's data folder.")]
DatabaseUrl = Annotated[str | None, typer.Option("--database", metavar="URL", help="The server's database.")]
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="The server's settings file.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: yes to every question.")]
Job = Annotated[str, typer.Argument(metavar="JOB", help="A job: 12 or distren://server/12.")]
JobOrFrame = Annotated[str, typer.Argument(metavar="JOB[/FRAME]", help="A job (12) or one of its frames (12/3).")]
Frame = Annotated[str, typer.Argument(metavar="JOB/FRAME", help="A frame of a job: 12/3.")]
Frames = Annotated[str | None, typer.Option("--frames", metavar="RANGE", help="For example 1-250x2,300.")]
PassphraseStdin = Annotated[
    bool,
    typer.Option("--passphrase-stdin", help="Read the passphrase from standard input (or set DISTREN_PASSPHRASE)."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files here that differ from the farm's.")]
Former = Annotated[
    bool, typer.Option("--keep-former", help="Keep files here that differ in a folder “former”, and replace them.")
]
