"""The options of `distren simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.words.errors import Malformed

FARM, CHANCE, VIRTUAL, PLAN = "The farm", "What goes wrong", "In virtual time", "A deadline"


def share(percent: float) -> float:
    """Return a percentage as a part of one."""
    return percent / 100


Slaves = Annotated[int, typer.Option(min=1, max=20_000, help="Pretend slaves.", rich_help_panel=FARM)]
Users = Annotated[int, typer.Option(min=1, max=1000, help="Users who send jobs.", rich_help_panel=FARM)]
Frames = Annotated[int, typer.Option(min=1, help="Frames of all jobs together.", rich_help_panel=FARM)]
Waves = Annotated[
    int, typer.Option(min=1, max=1000, help="So often the queue is filled, and drained.", rich_help_panel=FARM)
]
Seconds = Annotated[float, typer.Option(min=0, help="Seconds that a frame takes.", rich_help_panel=FARM)]
Seed = Annotated[int, typer.Option(help="Of chance: the same seed gives the same farm.", rich_help_panel=FARM)]
Failures = Annotated[float, typer.Option(min=0, max=90, help="Percent of tries that fail.", rich_help_panel=CHANCE)]
Deaths = Annotated[
    float, typer.Option(min=0, max=90, help="Percent of frames at which a slave dies.", rich_help_panel=CHANCE)
]
Late = Annotated[
    float,
    typer.Option(min=0, max=90, help="Percent of frames whose result comes too late.", rich_help_panel=CHANCE),
]
Delay = Annotated[
    float, typer.Option(min=0, max=60, help="Seconds that a message takes at most.", rich_help_panel=CHANCE)
]
Faults = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="What happens to the server: kill-server,kill-database (with MariaDB),clock-jump,partition,"
        "disk-full (needs root).",
        rich_help_panel=CHANCE,
    ),
]
MariaDB = Annotated[
    bool,
    typer.Option("--mariadb", help="The server's database is a MariaDB that the run starts.", rich_help_panel=FARM),
]
Server = Annotated[
    str,
    typer.Option(
        "--server",
        metavar="URL",
        help="Not at a server of its own, but at this one, where you are an admin: a staging farm.",
        rich_help_panel=FARM,
    ),
]
Virtual = Annotated[
    bool,
    typer.Option("--virtual", help="Days in minutes, at the real scheduler, without HTTP.", rich_help_panel=VIRTUAL),
]
Days = Annotated[int, typer.Option(min=1, max=366, help="Days for which jobs come.", rich_help_panel=VIRTUAL)]
CrashDaily = Annotated[
    bool,
    typer.Option("--crash-daily", help="The server crashes each day, in a transaction.", rich_help_panel=VIRTUAL),
]
PlanJob = Annotated[str, typer.Option("--plan", metavar="JOB", help="The job to be done.", rich_help_panel=PLAN)]
By = Annotated[
    str,
    typer.Option(metavar="WHEN", help="“friday 18:00”, “18:00”, “2026-11-27 18:00”, “36h”.", rich_help_panel=PLAN),
]
Minutes = Annotated[
    float, typer.Option(min=0, help="That a frame takes on a slot, for a job to come.", rich_help_panel=PLAN)
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="FOLDER", help="Where the farm's data are meanwhile; one in memory (/dev/shm) is quick."
    ),
]
Report = Annotated[Path, typer.Option(metavar="FOLDER", help="Where the report goes: a page, plots, figures.")]


def names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas.

    Raises:
        Malformed: one stands there twice.
    """
    found = [name.strip() for name in text.split(",") if name.strip()]
    if len(set(found)) < len(found):
        raise Malformed("A fault is named twice.", hint="Each happens once.")
    return tuple(found)
