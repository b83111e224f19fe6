"""`/`: the farm at a glance."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from farm.accounts.slaveviews import views
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import asker
from farm.jobs.framemap import last_pictures
from farm.jobs.jobviews import Filter, job_page
from farm.protocol.jobs import JobView
from farm.words.clock import now
from farm.words.states import JobState, SlaveState

router = APIRouter()

MOST = 12
"""Jobs of a kind on this page; `/jobs` has all."""

_AT_WORK = ",".join((JobState.RENDERING, JobState.QUEUED, JobState.RECEIVING))
_UNWELL = frozenset({SlaveState.SICK, SlaveState.OFFLINE})


@router.get("/")
async def farm(request: Request, user: User, farm: Farm) -> Response:
    """Show what runs, what needs somebody, and what was finished last."""
    who = asker(user, farm.settings)

    async def jobs(states: str) -> list[JobView]:
        query = partial(job_page, asker=who, wanted=Filter(states, limit=MOST), server=farm.name, at=now())
        return (await farm.database.read(query)).jobs

    running, ended = await jobs(_AT_WORK), await jobs(JobState.DONE)
    trouble = await jobs(f"{JobState.PAUSED},{JobState.FAILED}")
    owner = None if who.sees_all else user.id
    slaves = await farm.database.read(partial(views, server=farm.name, owner=owner))
    unwell = [slave for slave in slaves if slave.state in _UNWELL]
    numbers = [job.job for job in (*running, *ended)]
    return page(
        request,
        "farm.html",
        running=running,
        trouble=trouble,
        ended=ended,
        slaves=slaves,
        unwell=unwell[:MOST],
        more_unwell=max(0, len(unwell) - MOST),
        at_work=sum(slave.state is SlaveState.RENDERING for slave in slaves),
        slots=sum(slave.slots for slave in slaves if slave.state not in _UNWELL),
        pictures=await farm.database.read(partial(last_pictures, jobs=numbers)),
    )
