"""Finished files, thumbnails and logs of jobs."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.background import BackgroundTask

from farm.api.blobs.serving import goes_home, naming, serve
from farm.api.dependencies import Db, Farm, Settings, Store, User
from farm.api.jobs.parts import Number, asker
from farm.jobs.frameviews import log_of, thumbnail_of
from farm.jobs.homecoming import Home
from farm.jobs.outputs import output_file, output_page
from farm.protocol.jobs import OutputPage
from farm.words.errors import FileNotHere

router = APIRouter(prefix="/api/jobs/{job}", tags=["jobs"])

Version = Annotated[
    int | None, Query(ge=1, le=1_000_000, description="As the job was before it was updated: 1, 2 …; else as it is.")
]

_PLAIN = {"content-type": "text/plain; charset=utf-8", "cache-control": "private, no-cache"}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}},
    206: {"description": "A range of the bytes."},
}


@router.get("/output", response_model=OutputPage)
async def list_output(
    job: Number,
    db: Db,
    user: User,
    settings: Settings,
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    version: Version = None,
) -> Response:
    """List finished files in ascending order of frames; a page never splits a frame."""
    who = asker(user, settings)
    page = await db.read(partial(output_page, asker=who, job=job, after=after, limit=limit, version=version))
    return Response(page.model_dump_json(), media_type="application/json")


@router.head("/output/{frame}/{name:path}", include_in_schema=False)
@router.get("/output/{frame}/{name:path}", response_class=Response, responses=_FILE)
async def fetch_output(
    job: Number, frame: Number, name: str, request: Request, farm: Farm, user: User, version: Version = None
) -> Response:
    """Fetch a finished file; takes Range, so that a download can go on. Its ETag is its SHA-256."""
    who = asker(user, farm.settings)
    wanted = partial(output_file, asker=who, job=job, frame=frame, name=name, version=version)
    file = await farm.database.read(wanted)
    headers = {**naming(file.name), "cache-control": "private, no-cache"}
    response = await serve(request, farm.store, file.sha256, file.size, headers)
    if goes_home(request, response):
        home = Home(job, frame, file.name, file.sha256)
        response.background = BackgroundTask(farm.homecoming.note, [home])
    return response


@router.head("/frames/{frame}/thumbnail", include_in_schema=False)
@router.get("/frames/{frame}/thumbnail", response_class=Response, responses={200: {"content": {"image/webp": {}}}})
async def fetch_thumbnail(
    job: Number, frame: Number, request: Request, db: Db, store: Store, user: User, settings: Settings
) -> Response:
    """Fetch the thumbnail of a finished frame."""
    sha256, size = await db.read(partial(thumbnail_of, asker=asker(user, settings), job=job, number=frame))
    headers = {"content-type": "image/webp", "cache-control": "private, no-cache"}
    return await serve(request, store, sha256, size, headers)


@router.get("/frames/{frame}/log", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def fetch_log(
    job: Number,
    frame: Number,
    request: Request,
    db: Db,
    store: Store,
    user: User,
    settings: Settings,
    attempt: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> Response:
    """Fetch the renderer's log of an attempt; without one: of the result, else of the last try."""
    found = await db.read(partial(log_of, asker=asker(user, settings), job=job, number=frame, attempt=attempt))
    if isinstance(found, str):
        return Response(found, headers={**_PLAIN, "x-content-type-options": "nosniff"})
    size = await asyncio.to_thread(store.size, found.hex())
    if size is None:
        raise FileNotHere(f"The log of frame {frame} of job {job} is not here any more.", job=job, frame=frame)
    return await serve(request, store, found.hex(), size, _PLAIN)
