"""A job that came with all its files: submit, queue, and say where it is."""

from __future__ import annotations

from functools import partial

from fastapi import Request, Response

from farm.accounts.identity import Identity
from farm.api.jobs.parts import asker, methods, rules
from farm.api.services import Services
from farm.jobs.checking import check
from farm.jobs.submission import queue, submit
from farm.peers.dependencies import asking
from farm.protocol.jobs import Submission, Submitted
from farm.words.clock import now


async def submit_whole(
    request: Request, farm: Services, user: Identity, submission: Submission, remarks: list[str]
) -> Response:
    """Submit a job whose bytes are all here, by the one way in.

    Args:
        request: whose address the links begin with.
        farm: the server.
        user: the job's owner.
        submission: the job.
        remarks: what they should know of it.
    """
    settings = farm.settings
    who, limits = asker(user, settings), rules(settings)
    elsewhere = asking(farm.peering, user)
    made = await submit(farm.database, who, submission, methods(), limits, farm.name, now(), elsewhere)
    there = await elsewhere(submission.depends)
    ask = partial(check, asker=who, methods=methods(), rules=limits, server=farm.name, there=there)
    report = await farm.database.read(partial(ask, submission=submission))
    await farm.database.write(partial(queue, asker=who, job=made.job, at=now()))
    base = str(request.base_url).rstrip("/")
    place = f"{base}/api/jobs/{made.job}"
    parts = {part: f"{place}/{part}" for part in ("progress", "frames", "output", "bundle", "package")}
    told = Submitted(
        job=made.job,
        address=made.address,
        name=submission.name,
        frames=submission.frames,
        warnings=[*remarks, *report.warnings, *report.unfit],
        links={"job": place, **parts, "events": f"{base}/api/events?job={made.job}"},
    )
    body = told.model_dump_json(indent=2) + "\n"
    return Response(body, 201, headers={"location": place}, media_type="application/json")
