"""`pause`, `resume`, `approve`, `cancel`, `retry`, `delete`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer

from farm.cli.connect import Target, confirmed
from farm.cli.options import Frames, Job, JobOrFrame, Json, Server, Yes
from farm.cli.output import emit, interactive, notice, say
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import JobCommand, JobView
from farm.words.errors import NotASetup

Jobs = Annotated[list[str], typer.Argument(metavar="JOB…", help="One job or several: 12 13.")]


def pause(jobs: Jobs, server: Server = None, yes: Yes = False, json: Json = False) -> None:
    """Start no more frames of a job; those that render now are finished."""
    _each("pause", jobs, server, yes=yes, json=json)


def resume(jobs: Jobs, server: Server = None, yes: Yes = False, json: Json = False) -> None:
    """Go on with a paused job."""
    _each("resume", jobs, server, yes=yes, json=json)


def approve(jobs: Jobs, server: Server = None, yes: Yes = False, json: Json = False) -> None:
    """Say that a job's first, middle and last frame look right, and render the rest."""
    _each("approve", jobs, server, yes=yes, json=json)


def cancel(
    jobs: Jobs,
    dependents: Annotated[
        Literal["fail", "cancel", "wait"],
        typer.Option(
            help="What becomes of other jobs' frames that wait for these: they fail; their jobs are canceled, too; "
            "or they wait until somebody retries."
        ),
    ] = "fail",
    server: Server = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """End a job: its frames stop at once. What is rendered stays, and `retry` goes on."""
    _each("cancel", jobs, server, yes=yes, json=json, order=JobCommand(dependents=dependents))


def retry(job: JobOrFrame, frames: Frames = None, server: Server = None, yes: Yes = False, json: Json = False) -> None:
    """Render the failed and canceled frames of a job again; with --frames, or of 12/3, those, even finished ones."""
    target = Target(job, server)
    wanted = target.frames(frames)
    order = JobCommand(frames=None if wanted is None else str(wanted))
    _say_to(target, "retry", order, yes=yes, json=json)


def delete(job: Job, server: Server = None, yes: Yes = False, json: Json = False) -> None:
    """Delete a job and its pictures on the server. Its number is never used again."""
    target = Target.of_job(job, server)
    with target.client as client:
        if not yes:
            _ask(client.job(target.job))
        confirmed(lambda sure: client.delete(target.job, confirmed=sure), yes=yes)
    emit({"job": target.job, "state": "deleted"}) if json else say(f"Job {target.job} is deleted.")


def _ask(view: JobView) -> None:
    what = f"job {view.job} “{view.name}” of {view.owner} with {view.counts.done} finished frames"
    if not interactive():
        raise NotASetup(f"Deleting {what} wants a yes.", hint="Say --yes if you mean it.")
    if not typer.confirm(f"Delete {what}?", err=True):
        notice("Nothing was deleted.")
        raise typer.Exit(1)


def _each(
    verb: str, jobs: list[str], server: str | None, *, yes: bool, json: bool, order: JobCommand | None = None
) -> None:
    for target in [Target.of_job(text, server) for text in jobs]:
        _say_to(target, verb, order or JobCommand(), yes=yes, json=json)


def _say_to(target: Target, verb: str, order: JobCommand, *, yes: bool, json: bool) -> None:
    with target.client as client:
        view = confirmed(partial(_command, client, target.job, verb, order), yes=yes)
    emit(view) if json else say(_told(view))


def _command(client: FarmClient, job: int, verb: str, order: JobCommand, sure: bool) -> JobView:
    return client.command(job, verb, order.model_copy(update={"confirmed": sure}))


def _told(view: JobView) -> str:
    reason = f" ({view.pause_reason})" if view.pause_reason else ""
    return f"Job {view.job} “{view.name}” is {view.state}{reason}: {view.counts.done} of {view.counts.total} done."
