"""The options of `fetch`, by what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from farm.cli.options import Former, Frames, Overwrite


@dataclass(frozen=True)
class Wanted:
    """Which of a job's files come, and what becomes of those that lie there."""

    frames: Frames = None
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Bring all that is finished as one tar, into this file."),
    ] = None
    at_home: Annotated[
        bool,
        typer.Option("--home", help="Put them into the folders that the .blend names, on the machine that sent it."),
    ] = False
    overwrite: Overwrite = False
    keep_former: Former = False
    version: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="As the job was before it was updated: 1, 2 …")
    ] = None


@dataclass(frozen=True)
class Following:
    """All jobs, for ever."""

    follow: Annotated[
        bool, typer.Option("--follow", help="Bring all your jobs' files as frames finish, until Ctrl-C.")
    ] = False
    everyone: Annotated[bool, typer.Option("--everyone", help="With --follow: other people's jobs, too.")] = False
    as_service: Annotated[
        bool, typer.Option("--service", help="With --follow: start it with the machine, and now.")
    ] = False
