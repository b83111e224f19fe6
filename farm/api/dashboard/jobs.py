"""`/jobs`: the list, and what is done to many at once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from farm.accounts.identity import Identity
from farm.api.dashboard import beside
from farm.api.dashboard.question import Question
from farm.api.dashboard.rendering import count, page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import asker
from farm.api.services import Services
from farm.jobs import control
from farm.jobs.framemap import last_pictures
from farm.jobs.jobviews import Filter, job_page
from farm.protocol.jobs import JobCommand
from farm.words.clock import now
from farm.words.errors import DistrenError, NeedsConfirmation
from farm.words.states import JobState

router = APIRouter()

PAGE = 25
"""Jobs on a page: what a screen or two shows. Twice as many take twice as long until the first is seen."""

FINAL = {
    "cancel": "What renders now is thrown away; finished pictures stay. Retry takes it up again.",
    "delete": "Their pictures here go with them, for good.",
}
"""What can't be undone, or not easily, and what becomes of it: the page asks before."""

Text = Annotated[str, Query(max_length=1000)]


@router.get("/jobs")
async def jobs(
    request: Request,
    user: User,
    farm: Farm,
    state: Text = "",
    owner: Text = "",
    project: Text = "",
    search: Text = "",
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    server: Text = "",
    ask: bool = False,
) -> Response:
    """List jobs, newest first: those of this server, and, beside them, the user's at others.

    `server`: only that one's; `ask`: ask it now, and wait a little.
    """
    wanted = Filter(state, owner, project, search.strip(), after, PAGE)
    known = await beside.peers(farm)
    chosen = [peer for peer in known if server in ("", peer.name)]
    rest = urlencode([(k, v) for k, v in request.query_params.multi_items() if k not in ("server", "ask")])
    there = await beside.there(farm, user, chosen, replace(wanted, after=after if server else None), rest, ask=ask)
    servers = [farm.name, *(peer.name for peer in known)] if known else []
    given: dict[str, Any] = {"servers": servers, "only": server, "there": there, "states": list(JobState)}
    given |= {"wanted": wanted, "address": str(request.url.query), "jobs": None}
    if not chosen or server == "":
        given |= await _here(user, farm, wanted)
    return page(request, "jobs.html", **given)


async def _here(user: Identity, farm: Services, wanted: Filter) -> dict[str, Any]:
    query = partial(job_page, asker=asker(user, farm.settings), wanted=wanted, server=farm.name, at=now())
    found = await farm.database.read(query)
    pictures = await farm.database.read(partial(last_pictures, jobs=[job.job for job in found.jobs]))
    return {"jobs": found.jobs, "next": found.next, "pictures": pictures}


@router.post("/jobs")
async def act(
    request: Request,
    user: User,
    farm: Farm,
    verb: Annotated[str, Form(max_length=20)] = "",
    job: Annotated[list[int], Form(max_length=1000)] = [],  # noqa: B006 - FastAPI copies it
    frames: Annotated[str, Form(max_length=1000)] = "",
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Do something to one job or to many; what could not be done is said, job by job."""
    if verb in FINAL and job and not sure:
        return page(request, "sure.html", question=_question(verb, job, frames, others=False))
    refused: list[DistrenError] = []
    for number in job:
        try:
            await carry_out(user, farm, number, verb, frames, sure=sure)
        except NeedsConfirmation:
            return page(request, "sure.html", question=_question(verb, job, frames, others=True))
        except DistrenError as error:
            refused.append(error)
    if refused:
        return page(request, "refused.html", status=409, refused=refused, done=len(job) - len(refused), verb=verb)
    one = f"/{job[0]}" if len(job) == 1 and verb != "delete" else ""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/jobs{one}", 303)


def _question(verb: str, jobs: list[int], frames: str, *, others: bool) -> Question:
    theirs = "Not all of them are yours; their owners will see that you did it." if others else ""
    return Question(
        verb,
        f"{verb.capitalize()} {count(len(jobs), 'job')}?",
        f"{FINAL.get(verb, '')} {theirs}".strip(),
        "/jobs",
        "/jobs",
        links=[(str(number), f"/jobs/{number}") for number in jobs],
        fields=[*(("job", str(number)) for number in jobs), ("frames", frames)],
    )


async def carry_out(user: Identity, farm: Services, job: int, verb: str, frames: str, *, sure: bool) -> None:
    """Do what a person asked for.

    Raises:
        DistrenError: it can't be done, and why.
    """
    who = asker(user, farm.settings)
    if verb == "delete":
        act = partial(control.delete, asker=who, job=job, at=now(), confirmed=sure)
    else:
        said = JobCommand(frames=frames or None, confirmed=sure)
        act = partial(control.command, asker=who, job=job, verb=verb, order=said, at=now())
    await control.carried_out(farm.database, act, job)
