"""`/jobs/at/…`: jobs of users here at other servers, beside those of this one.

No page waits for another server: the list shows what it said last, and asks from within the browser.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from farm.api.dashboard.jobs import FINAL
from farm.api.dashboard.question import Question
from farm.api.dashboard.rendering import count, page
from farm.api.dashboard.verbs import verbs
from farm.api.dependencies import Farm, User
from farm.api.peers.endpoints import Name
from farm.peers import book
from farm.words.errors import DistrenError, NeedsConfirmation, NotFound

router = APIRouter(prefix="/jobs/at")

VERBS = ("pause", "resume", "cancel", "retry", "delete")
"""What can be done to jobs from here."""

Job = Annotated[int, Path(ge=0, le=2**62)]


@router.get("/{name}/{job}")
async def job(name: Name, job: Job, request: Request, user: User, farm: Farm) -> Response:
    """Show a job at another server: how far it is, its pictures, and what can be done."""
    view, done = await farm.elsewhere.job(name, user.name, job)
    return page(request, "jobat.html", peer=name, job=view, done=done.frames, verbs=verbs(view.state))


@router.post("/{name}")
async def act(
    name: Name,
    request: Request,
    user: User,
    farm: Farm,
    verb: Annotated[str, Form(max_length=20)] = "",
    job: Annotated[list[int], Form(max_length=100)] = [],  # noqa: B006 - FastAPI copies it
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Do something to jobs at another server; what could not be done is said, job by job."""
    if verb not in VERBS:
        raise NotFound(f"Nobody can {verb[:30]} a job.")
    await farm.database.read(partial(book.known, name=name))
    if verb in FINAL and job and not sure:
        return page(request, "sure.html", question=_question(name, verb, job))
    refused: list[DistrenError] = []
    for number in job:
        try:
            await farm.elsewhere.command(name, user.name, number, verb, confirmed=sure)
        except NeedsConfirmation:
            return page(request, "sure.html", question=_question(name, verb, job))
        except DistrenError as error:
            refused.append(error)
    if refused:
        return page(request, "refused.html", status=409, refused=refused, done=len(job) - len(refused), verb=verb)
    one = f"/at/{name}/{job[0]}" if len(job) == 1 and verb != "delete" else f"?server={name}"
    return RedirectResponse(f"{request.scope.get('root_path', '')}/jobs{one}", 303)


def _question(name: str, verb: str, jobs: list[int]) -> Question:
    back = f"/jobs?server={name}"
    links = [(f"{name}/{number}", f"/jobs/at/{name}/{number}") for number in jobs]
    fields = [("job", str(number)) for number in jobs]
    title = f"{verb.capitalize()} {count(len(jobs), 'job')} at {name}?"
    return Question(verb, title, FINAL.get(verb, ""), f"/jobs/at/{name}", back, links, fields)
