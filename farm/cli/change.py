"""`set`: change a job while it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.changes import parse_changes
from farm.cli.connect import Target, confirmed
from farm.cli.jobs import show_job
from farm.cli.options import Job, Json, Server, Yes
from farm.cli.output import emit


def set_(
    job: Job,
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="CHANGE…",
            help="priority=70, frames+=251-300, slaves+=ws07, slaves-=ws03, max-slaves=5 (0: no limit), "
            "render-limit=SECONDS, silence-limit=SECONDS (0: the server's), "
            "version=4.5, newer=yes, tags=gpu,fast, pool=heavy (nothing: any), name=…, project=…, comment=…",
        ),
    ],
    server: Server = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Change a job, also while it renders.

    slaves+= admits only the named slaves; slaves-= keeps the named ones away.
    """
    parse_changes(changes)
    target = Target.of_job(job, server)
    with target.client as client:
        view = confirmed(lambda sure: client.change(target.job, parse_changes(changes, confirmed=sure)), yes=yes)
    emit(view) if json else show_job(view, [])
