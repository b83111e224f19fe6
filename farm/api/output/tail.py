"""What a frame's renderer says just now, as server-sent events, until it has ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator
from functools import partial

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy.engine import Connection

from farm.api.dependencies import Farm, User
from farm.api.events.endpoints import until_stopped
from farm.api.jobs.parts import Number, asker
from farm.api.services import Services
from farm.api.slave.watching import AGAIN, LOG, WATCH
from farm.database import eventlog
from farm.database.vector import Vector
from farm.jobs.access import Asker
from farm.jobs.frameviews import rendering
from farm.protocol.jobs import LogTail
from farm.words.clock import now

router = APIRouter(prefix="/api/jobs/{job}", tags=["jobs"])

_EXAMPLE = 'event: log\ndata: {"attempt":77,"at":0,"text":"Fra:3 Mem:10M | Sample 1/64\\n"}\n\nevent: end\ndata: {}\n\n'


@router.get(
    "/frames/{frame}/tail",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"example": _EXAMPLE}}}},
)
async def follow_log(job: Number, frame: Number, farm: Farm, user: User) -> StreamingResponse:
    """Follow what a frame's renderer says: the end of what it has said, then what is new, every second or so.

    `end` means that it is not rendered any more; `…/log` has the whole then.
    """
    who, since = asker(user, farm.settings), farm.reader.place
    attempts = await farm.database.read(partial(rendering, asker=who, job=job, number=frame))
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    stream = _stream(farm, who, (job, frame), attempts, since)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(
    farm: Services, who: Asker, frame: tuple[int, int], attempts: list[int], since: Vector
) -> AsyncGenerator[str, None]:
    (job, number), said = frame, 0.0
    async with contextlib.aclosing(until_stopped(farm, since)) as told:
        while attempts:
            if not said or time.monotonic() - said > AGAIN:
                said = time.monotonic()
                await farm.database.write(partial(_watch, job=job, attempts=attempts))
            event = await anext(told, None)
            if farm.stopping.is_set():
                return
            if event is None:
                yield ": ping\n\n"
            elif event.kind == LOG and event.job == job and str(number) in event.data:
                tail = LogTail.model_validate(event.data[str(number)])
                yield f"event: log\ndata: {tail.model_dump_json()}\n\n"
            if event is None or (event.job == job and event.kind in {"frames", "job"}):
                attempts = await farm.database.read(partial(rendering, asker=who, job=job, number=number))
    yield "event: end\ndata: {}\n\n"


def _watch(conn: Connection, job: int, attempts: list[int]) -> None:
    eventlog.note(conn, WATCH, at=now(), job=job, data={"attempts": attempts})
