"""`/api/jobs/12/bundle` and `/api/jobs/12/package`: many files as one tar, resumable."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.background import BackgroundTask

from farm.accounts.identity import Identity
from farm.api.blobs.serving import goes_home, serve_stream
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.api.services import Services
from farm.jobs.packages import bundle, package
from farm.jobs.tarstream import TarStream
from farm.words.ranges import FrameRange

router = APIRouter(prefix="/api/jobs/{job}", tags=["jobs"])

_TAR: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/x-tar": {}}},
    206: {"description": "A range of the bytes."},
}


@router.head("/bundle", include_in_schema=False)
@router.get("/bundle", response_class=Response, responses=_TAR)
async def fetch_bundle(
    job: Number,
    request: Request,
    farm: Farm,
    user: User,
    frames: Annotated[str, Query(max_length=10_000, description="Only these frames, e.g. 1-10.")] = "",
) -> Response:
    """Fetch finished files as one tar, also while the job renders; takes Range, so that a download can go on."""
    wanted = FrameRange.parse(frames) if frames else None
    return await _bundle(request, farm, user, job, wanted, f"job{job}-output.tar")


@router.head("/frames/{frame}/bundle", include_in_schema=False)
@router.get("/frames/{frame}/bundle", response_class=Response, responses=_TAR)
async def fetch_frame_bundle(job: Number, frame: Number, request: Request, farm: Farm, user: User) -> Response:
    """Fetch a frame's finished files as a tar, also if it is one file; takes Range."""
    return await _bundle(request, farm, user, job, FrameRange.of([frame]), f"job{job}-frame{frame}.tar")


async def _bundle(
    request: Request, farm: Services, user: Identity, job: int, wanted: FrameRange | None, name: str
) -> Response:
    query = partial(bundle, asker=asker(user, farm.settings), job=job, wanted=wanted)
    members, files = await farm.database.read(query)
    response = _served(request, farm, await asyncio.to_thread(TarStream, members), name)
    if goes_home(request, response):
        response.background = BackgroundTask(farm.homecoming.note, files)
    return response


@router.head("/package", include_in_schema=False)
@router.get("/package", response_class=Response, responses=_TAR)
async def fetch_package(job: Number, request: Request, farm: Farm, user: User) -> Response:
    """Fetch a job's package: the same uncompressed tar each time, with all that makes the job anew; takes Range."""
    members = await farm.database.read(partial(package, asker=asker(user, farm.settings), job=job))
    return _served(request, farm, await asyncio.to_thread(TarStream, members), f"job{job}.tar")


def _served(request: Request, farm: Services, tar: TarStream, name: str) -> Response:
    headers = {
        "content-type": "application/x-tar",
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "private, no-cache",
    }
    return serve_stream(request, tar.sha256, tar.size, headers, partial(tar.open_range, farm.store))
