"""The event log as server-sent events: browsers and clients follow it, nobody polls."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from farm.accounts import logins
from farm.accounts.identity import Identity
from farm.api.dependencies import Farm, User
from farm.api.events.audience import Audience
from farm.api.services import Services
from farm.api.slave.watching import LOG, WATCH
from farm.database.reader import Told
from farm.database.vector import Vector
from farm.protocol.jobs import FarmEvent
from farm.words import clock
from farm.words.clock import moment

router = APIRouter(tags=["events"])

PING = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the connection."""

_EXAMPLE = 'id: 1:42\nevent: frames\ndata: {"kind":"frames","job":12,"data":{"ranges":{"done":"1-3"}}}\n\n'


@router.get(
    "/api/events",
    summary="Follow what happens",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"example": _EXAMPLE}}}},
)
async def events(
    user: User,
    farm: Farm,
    job: Annotated[int | None, Query(description="Only this job.")] = None,
    last_event_id: Annotated[str | None, Header(description="Go on after this event.")] = None,
    after: Annotated[str | None, Query(description="The same, for those who can't set headers.")] = None,
) -> StreamingResponse:
    """Stream events, from now or from after an event's id. `reset` means: read everything anew."""
    since = Vector.parse(last_event_id or after or "") if last_event_id or after else farm.reader.place
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_stream(farm, user, job, since), media_type="text/event-stream", headers=headers)


async def _stream(farm: Services, user: Identity, job: int | None, since: Vector) -> AsyncGenerator[str, None]:
    """Yield the text of events until the server stops or the listener's token is void."""
    everyone = user.is_admin or user.in_team(farm.settings.profile)
    audience = Audience(farm.database, None if everyone else user.id)
    yield f": DistRen {farm.name}\nid: {since}\n\n"
    async with contextlib.aclosing(until_stopped(farm, since)) as told:
        async for event in told:
            if event is None:
                if not await _still(farm, user):
                    return
                yield ": ping\n\n"
            elif event.kind not in {WATCH, LOG} and _concerns(event, job) and await audience.may_hear(event):
                yield _text(event)


async def _still(farm: Services, user: Identity) -> bool:
    """Tell whether a listener may listen on."""
    if user.peer:
        return await farm.peering.gate.still(user.peer)
    return await farm.database.read(partial(logins.find, token=user.token, at=clock.now())) is not None


async def until_stopped(farm: Services, since: Vector) -> AsyncGenerator[Told | None, None]:
    """Yield events, and None after each silence of :data:`PING` seconds; ends when the server stops."""
    subscription = cast(AsyncGenerator[Told, None], farm.reader.subscribe(since))
    stopping: asyncio.Future[Any] = asyncio.ensure_future(farm.stopping.wait())
    coming: asyncio.Future[Any] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(subscription))
            await asyncio.wait([coming, stopping], timeout=PING, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                return
            if not coming.done():
                yield None
                continue
            event, coming = coming.result(), None
            yield event
    finally:
        await _ended(coming, stopping)
        await subscription.aclose()


async def _ended(*pending: asyncio.Future[Any] | None) -> None:
    for one in pending:
        if one is not None:
            one.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await one


def _concerns(event: Told, job: int | None) -> bool:
    return job is None or event.job == job or event.kind == "reset"


def _text(event: Told) -> str:
    at = moment(event.at)
    assert at is not None
    body = FarmEvent(kind=event.kind, at=at, job=event.job, slave=event.slave, data=dict(event.data))
    return f"id: {event.place}\nevent: {event.kind}\ndata: {body.model_dump_json()}\n\n"
