"""`/api/jobs`: submission, control and views."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from farm.api.dependencies import Db, Farm, Settings, User
from farm.api.jobs.parts import Number, asker, methods, rules
from farm.jobs import control, frameviews, timing
from farm.jobs.change import change
from farm.jobs.checking import check
from farm.jobs.frameviews import frame_page, frame_view
from farm.jobs.jobviews import Filter, job_page, job_view
from farm.jobs.submission import number_of, queue, submit
from farm.peers.dependencies import asking
from farm.protocol.jobs import (
    CheckReport,
    FramePage,
    FrameView,
    JobChange,
    JobCommand,
    JobPage,
    JobView,
    Receiving,
    Submission,
)
from farm.protocol.timing import FrameTiming, JobTiming
from farm.words.clock import now

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

Text = Annotated[str, Query(max_length=1000)]
Key = Annotated[str, Query(min_length=1, max_length=200)]
After = Annotated[int | None, Query(ge=0, le=2**62)]
Limit = Annotated[int, Query(ge=1, le=1000)]


def told(message: BaseModel, status: int = 200) -> Response:
    """Answer with a message of ours, which needs no second check."""
    return Response(message.model_dump_json(), status, media_type="application/json")


@router.post("/check", response_model=CheckReport)
async def check_submission(submission: Submission, farm: Farm, user: User, settings: Settings) -> Response:
    """Say what would become of a submission; nothing is kept of it."""
    there = await asking(farm.peering, user)(submission.depends)
    ask = partial(check, asker=asker(user, settings), methods=methods(), rules=rules(settings), server=farm.name)
    return told(await farm.database.read(partial(ask, submission=submission, there=there)))


@router.post("", response_model=Receiving, status_code=201)
async def submit_job(submission: Submission, farm: Farm, user: User) -> Response:
    """Make a job that waits for its files; the answer names those that you have not sent yet."""
    settings = farm.settings
    elsewhere = asking(farm.peering, user)
    who, limits = asker(user, settings), rules(settings)
    made = await submit(farm.database, who, submission, methods(), limits, farm.name, now(), elsewhere)
    return told(made, 201)


@router.get("", response_model=JobPage)
async def list_jobs(
    farm: Farm,
    user: User,
    state: Text = "",
    owner: Text = "",
    project: Text = "",
    search: Text = "",
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """List jobs, newest first. `state` takes several, with commas between."""
    wanted = Filter(state, owner, project, search, after, limit)
    who = asker(user, farm.settings)
    return told(await farm.database.read(partial(job_page, asker=who, wanted=wanted, server=farm.name, at=now())))


@router.get("/by-key", response_model=JobView)
async def find_job(key: Key, farm: Farm, user: User) -> Response:
    """Show your job with the key of its submission: for who never heard the number of a job that they sent."""
    who = asker(user, farm.settings)
    return await _shown(await farm.database.read(partial(number_of, asker=who, key=key)), farm, user)


@router.get("/{job}", response_model=JobView)
async def show_job(job: Number, farm: Farm, user: User) -> Response:
    """Show a job."""
    return await _shown(job, farm, user)


@router.patch("/{job}", response_model=JobView)
async def change_job(job: Number, wanted: JobChange, farm: Farm, user: User) -> Response:
    """Change a job: also one that is rendering."""
    settings = farm.settings
    doing = partial(change, asker=asker(user, settings), job=job, wanted=wanted, rules=rules(settings), at=now())
    await farm.database.write(doing)
    return await _shown(job, farm, user)


@router.delete("/{job}", status_code=204)
async def delete_job(job: Number, db: Db, user: User, settings: Settings, confirmed: bool = False) -> None:
    """Delete a job that has ended; its number is never used again."""
    act = partial(control.delete, asker=asker(user, settings), job=job, at=now(), confirmed=confirmed)
    await control.carried_out(db, act, job)


@router.post("/{job}/queue", response_model=JobView)
async def queue_job(job: Number, farm: Farm, user: User) -> Response:
    """Say that all files of a job have been sent: it may render now. Of an update, the answer is the updated job."""
    number = await farm.database.write(partial(queue, asker=asker(user, farm.settings), job=job, at=now()))
    await control.finished(farm.database, number)
    return await _shown(number, farm, user)


async def _command(job: int, verb: str, order: JobCommand | None, farm: Farm, user: User) -> Response:
    who = asker(user, farm.settings)
    said = order or JobCommand()
    act = partial(control.command, asker=who, job=job, verb=verb, order=said, at=now())
    await control.carried_out(farm.database, act, job)
    return await _shown(job, farm, user)


@router.post("/{job}/pause", response_model=JobView)
async def pause_job(job: Number, farm: Farm, user: User, order: JobCommand | None = None) -> Response:
    """Lease no more frames of a job; what renders is finished."""
    return await _command(job, "pause", order, farm, user)


@router.post("/{job}/resume", response_model=JobView)
async def resume_job(job: Number, farm: Farm, user: User, order: JobCommand | None = None) -> Response:
    """Lease a paused job's frames again."""
    return await _command(job, "resume", order, farm, user)


@router.post("/{job}/approve", response_model=JobView)
async def approve_job(job: Number, farm: Farm, user: User, order: JobCommand | None = None) -> Response:
    """Say that a job's first pictures are good: render the rest."""
    return await _command(job, "approve", order, farm, user)


@router.post("/{job}/cancel", response_model=JobView)
async def cancel_job(job: Number, farm: Farm, user: User, order: JobCommand | None = None) -> Response:
    """End a job now; its finished pictures stay."""
    return await _command(job, "cancel", order, farm, user)


@router.post("/{job}/retry", response_model=JobView)
async def retry_job(job: Number, farm: Farm, user: User, order: JobCommand | None = None) -> Response:
    """Render failed and canceled frames again, or those that `frames` names."""
    return await _command(job, "retry", order, farm, user)


@router.get("/{job}/frames", response_model=FramePage)
async def list_frames(
    job: Number,
    farm: Farm,
    user: User,
    state: Text = "",
    name: Annotated[str, Query(alias="set", max_length=40, description="Only frames of this parameter set.")] = "",
    uniform: bool | None = None,
    after: After = None,
    limit: Limit = 200,
) -> Response:
    """List a job's frames in ascending order. `uniform=true`: those whose pictures are of one colour."""
    wanted = frameviews.Filter(state, name, uniform, after, limit)
    who = asker(user, farm.settings)
    query = partial(frame_page, asker=who, job=job, wanted=wanted, server=farm.name, at=now())
    return told(await farm.database.read(query))


@router.get("/{job}/frames/{frame}", response_model=FrameView)
async def show_frame(job: Number, frame: Number, farm: Farm, user: User) -> Response:
    """Show a frame with its attempts."""
    who = asker(user, farm.settings)
    query = partial(frame_view, asker=who, job=job, number=frame, server=farm.name, at=now())
    return told(await farm.database.read(query))


@router.get("/{job}/timing", response_model=JobTiming)
async def show_job_timing(job: Number, farm: Farm, user: User) -> Response:
    """Show where the time of a job's frames went, step by step."""
    query = partial(timing.job_timing, asker=asker(user, farm.settings), job=job, server=farm.name)
    return told(await farm.database.read(query))


@router.get("/{job}/frames/{frame}/timing", response_model=FrameTiming)
async def show_frame_timing(job: Number, frame: Number, farm: Farm, user: User) -> Response:
    """Show where a frame's time went, step by step."""
    query = partial(timing.frame_timing, asker=asker(user, farm.settings), job=job, number=frame, server=farm.name)
    return told(await farm.database.read(query))


async def _shown(job: int, farm: Farm, user: User) -> Response:
    who = asker(user, farm.settings)
    return told(await farm.database.read(partial(job_view, asker=who, job=job, server=farm.name, at=now())))
