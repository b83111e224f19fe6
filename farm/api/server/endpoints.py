"""What the server says of itself: who it is, whether it lives, whether it is ready, its numbers."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.engine import Connection

from farm import __version__
from farm.api import metrics, problem
from farm.api.dependencies import Farm
from farm.api.services import Services
from farm.methods.registry import METHODS
from farm.protocol.accounts import Profile, Registration, ServerInfo
from farm.words.errors import DiskFull, DistrenError, Unavailable

router = APIRouter(tags=["server"])

PATIENCE = 5
"""Seconds in which the database must answer to be ready."""


@router.get("/api/server", summary="Who this server is")
async def server(farm: Farm) -> ServerInfo:
    """Return what anyone may know of this server."""
    return ServerInfo(
        name=farm.name,
        version=__version__,
        profile=Profile(farm.settings.profile),
        registration=Registration(farm.settings.registration),
        methods=sorted(METHODS),
    )


@router.get("/healthz", summary="Does the process live")
async def healthz() -> dict[str, str]:
    """Answer, which is all."""
    return {"status": "alive"}


@router.get("/readyz", summary="Can it work", response_model=dict[str, str])
async def readyz(farm: Farm) -> Response | dict[str, str]:
    """Answer 200 if the database answers and the disk has space, else 503 with what is wrong."""
    try:
        await _ready(farm)
    except DistrenError as error:
        return problem.answer(error)
    return {"status": "ready"}


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def numbers(farm: Farm) -> Response:
    """Return counts and latencies in the text format of Prometheus."""
    shown = farm.metrics
    shown.show(await farm.database.read(metrics.count))
    shown.hanging.set(len(farm.polls))
    shown.waiting.set(farm.database.waiting)
    shown.free.set((await asyncio.to_thread(farm.store.usage)).free)
    return Response(await asyncio.to_thread(shown.text), media_type=metrics.MEDIA_TYPE)


async def _ready(farm: Services) -> None:
    if farm.stopping.is_set():
        raise Unavailable("The server is stopping.")
    try:
        async with asyncio.timeout(PATIENCE):
            await farm.database.read(_ask)
    except Exception as error:  # whatever keeps the database from answering, it is not ready
        raise Unavailable(f"The database does not answer: {type(error).__name__}.") from error
    free = (await asyncio.to_thread(farm.store.usage)).free
    if free < farm.settings.free_space:
        raise DiskFull(f"Only {free:,} bytes are free for files.", hint="Delete old jobs, or lower `free_space`.")


def _ask(conn: Connection) -> None:
    conn.execute(text("SELECT 1")).scalar_one()
