"""What the server says of itself: who it is, whether it lives, whether it is ready, its numbers."""

from __future__ import annotations

import asyncio
import shutil

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.engine import Connection

from farm import __version__
from farm.api import metrics, problem
from farm.api.dependencies import Farm
from farm.api.services import Services
from farm.methods.registry import METHODS
from farm.protocol.accounts import Profile, Registration, ServerInfo
from farm.words.errors import DatabaseAway, DiskFull, DistrenError, Unavailable

router = APIRouter(tags=["server"])

PATIENCE = 5
"""Seconds in which the database must answer to be ready."""

LEAST = 1024 * 1024
"""Bytes that must be free to be ready, whatever `free_space` says: a transaction of a database needs them."""


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
    """Return counts and latencies in the text format of Prometheus; old counts while the database is away."""
    shown = farm.metrics
    try:
        shown.show(await farm.database.read(metrics.count))
    except Unavailable:
        shown.up.set(0)
    else:
        shown.up.set(not farm.database.away)
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
    except DistrenError:
        raise
    except Exception as error:  # whatever keeps the database from answering, it is not ready
        raise DatabaseAway(f"The database does not answer: {type(error).__name__}.") from error
    if farm.database.away:
        raise DatabaseAway("The database can be read, but takes nothing.", hint="The server's log says why.")
    await asyncio.to_thread(_space, farm)


def _space(farm: Services) -> None:
    """Refuse to be ready where files, or a database that is a file, have no space left."""
    frees = {"files": farm.store.usage().free}
    if farm.database.file is not None:
        frees["the database"] = shutil.disk_usage(farm.database.file.parent).free
    for what, free in frees.items():
        if free < max(farm.settings.free_space, LEAST):
            raise DiskFull(f"Only {free:,} bytes are free for {what}.", hint="Delete old jobs, or lower `free_space`.")


def _ask(conn: Connection) -> None:
    conn.execute(text("SELECT 1")).scalar_one()
