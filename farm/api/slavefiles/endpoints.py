"""What slaves fetch and send: job sheets, files, results."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from farm.api.blobs.serving import announced, body, serve
from farm.api.dependencies import Db, Farm, Settings, SlaveAsking, Store
from farm.api.jobs.parts import Number
from farm.jobs.results import stage
from farm.jobs.sheet import readable, sheet
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet, ResultStaged
from farm.words.errors import LengthMismatch, TooLarge

router = APIRouter(prefix="/api/slave", tags=["slave protocol"])

Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.get("/jobs/{job}", response_model=JobSheet)
async def fetch_sheet(job: Number, farm: Farm, slave: SlaveAsking) -> Response:
    """Fetch all that is needed to render a job; only for the holder of a live lease of it."""
    scripts, strangers = farm.settings.scripts_run, farm.policy.strangers
    policy = farm.policy
    defaults = Limits(render_seconds=policy.render_seconds, silence_seconds=policy.silence_seconds)
    mine = partial(sheet, slave=slave.id, job=job, server=farm.name, defaults=defaults)
    ask = partial(mine, scripts=scripts, strangers=strangers)
    found = await farm.database.read(ask)
    return Response(found.model_dump_json(), media_type="application/json")


@router.head("/blobs/{sha256}", include_in_schema=False)
@router.get("/blobs/{sha256}", response_class=Response, responses={200: {"content": {"application/octet-stream": {}}}})
async def fetch_blob(
    sha256: Hash, job: Annotated[int, Query(ge=0, le=2**62)], request: Request, db: Db, store: Store, slave: SlaveAsking
) -> Response:
    """Fetch a file of a job; only for the holder of a live lease of it. Takes Range."""
    size = await db.read(partial(readable, slave=slave.id, job=job, sha256=sha256))
    headers = {"content-type": "application/octet-stream", "cache-control": "private, max-age=31536000, immutable"}
    return serve(request, store, sha256, size, headers)


@router.put(
    "/results/{attempt}",
    response_model=ResultStaged,
    openapi_extra={"requestBody": {"required": True, "content": {"application/x-tar": {}}}},
)
async def put_result(
    attempt: Number,
    request: Request,
    db: Db,
    store: Store,
    slave: SlaveAsking,
    settings: Settings,
    sha256: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None,
) -> Response:
    """Send an attempt's result, a tar; it is durable when this is answered, and counts when it is reported."""
    length, limit = announced(request), int(settings.result_limit)
    if length is not None and length > limit:
        raise TooLarge(f"The result has {length:,} bytes; the limit is {limit:,}.", hint="`result_limit` sets this.")
    staged = await stage(db, store, slave.id, attempt, body(request), limit, sha256)
    if length not in (None, staged.size):
        raise LengthMismatch(f"{staged.size:,} bytes arrived; {length:,} were announced.")
    return Response(staged.model_dump_json(), media_type="application/json")
