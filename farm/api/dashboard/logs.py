"""`/jobs/12/3/log`: what the renderer said in each attempt, searched on the server, so that it works everywhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.api.services import Services
from farm.jobs.access import Asker
from farm.jobs.frameviews import frame_view, log_of
from farm.words.clock import now
from farm.words.errors import FileNotHere

router = APIRouter(prefix="/jobs/{job}/{frame}/log")

WHOLE = 2_000_000
"""Bytes of a log's end that are searched; the whole is a link away."""

LINES = 2_000
"""Lines on the page at most: the last ones."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log, with its number, cut where the searched words are: plain and found ones in turn."""

    number: int
    parts: list[str]


@router.get("")
async def log(
    job: Number,
    frame: Number,
    request: Request,
    user: User,
    farm: Farm,
    attempt: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    search: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show an attempt's log, or those of its lines in which something is said."""
    who = asker(user, farm.settings)
    view = await farm.database.read(partial(frame_view, asker=who, job=job, number=frame, server=farm.name, at=now()))
    logged = [one for one in reversed(view.attempts) if one.has_log]
    shown = attempt if attempt is not None or not logged else logged[0].attempt
    text = await tail(farm, who, job, frame, shown, WHOLE) if logged else ""
    lines = found(text, search)
    given: dict[str, Any] = {"attempts": logged, "shown": shown, "search": search, "address": str(request.url.query)}
    given |= {"lines": lines[-LINES:], "more": max(0, len(lines) - LINES)}
    return page(request, "log.html", job=job, frame=view, **given)


async def tail(farm: Services, who: Asker, job: int, frame: int, attempt: int | None, most: int) -> str:
    """Return the end of an attempt's log; '' if it is not here.

    Args:
        farm: the server's parts.
        who: asks.
        job: the job's number.
        frame: the frame's number.
        attempt: which one; None: what was tried last.
        most: bytes.
    """
    try:
        text = await farm.database.read(partial(log_of, asker=who, job=job, number=frame, attempt=attempt))
        if isinstance(text, str):
            return text[-most:]
        size = await asyncio.to_thread(farm.store.size, text.hex()) or 0
        parts = [part async for part in farm.store.open_range(text.hex(), max(0, size - most))]
    except FileNotHere:
        return ""
    return b"".join(parts).decode("utf-8", "replace")


def found(text: str, search: str) -> list[Line]:
    """Return the lines of a text that have what is searched for, whatever its case; all for an empty search. Pure."""
    numbered = enumerate(text.splitlines(), 1)
    if not search:
        return [Line(number, [line]) for number, line in numbered]
    return [Line(number, _cut(line, search)) for number, line in numbered if search.lower() in line.lower()]


def _cut(line: str, search: str) -> list[str]:
    parts, low, wanted, place = [], line.lower(), search.lower(), 0
    if len(low) != len(line):  # letters that grow when made small: what is found can't be marked
        return [line]
    while (at := low.find(wanted, place)) >= 0:
        parts += [line[place:at], line[at : at + len(wanted)]]
        place = at + len(wanted)
    return [*parts, line[place:]]
