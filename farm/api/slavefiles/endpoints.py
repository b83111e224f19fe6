"""What slaves fetch and send: job sheets, files, results."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from farm.api.blobs.serving import body, sent, serve
from farm.api.dependencies import Db, Farm, Settings, SlaveAsking, Store
from farm.api.jobs.parts import Number
from farm.files.store import offset
from farm.jobs.required import required
from farm.jobs.results import Arriving, issued, stage, upload_of
from farm.jobs.sheet import readable, sheet
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet, RequiredFiles, ResultStaged
from farm.protocol.uploads import UploadOffset
from farm.words.errors import LengthMismatch, Malformed, TooLarge

router = APIRouter(prefix="/api/slave", tags=["slave protocol"])

Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Digest = Annotated[str, Query(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the whole tar, lower-case hex.")]


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


@router.get("/jobs/{job}/frames/{frame}/required", response_model=RequiredFiles)
async def fetch_required(job: Number, frame: Number, farm: Farm, slave: SlaveAsking) -> Response:
    """Name the files of the frames that a frame waited for; only for the holder of a live lease of it."""
    found = await farm.database.read(partial(required, slave=slave.id, job=job, number=frame, server=farm.name))
    return Response(found.model_dump_json(), media_type="application/json")


@router.head("/blobs/{sha256}", include_in_schema=False)
@router.get("/blobs/{sha256}", response_class=Response, responses={200: {"content": {"application/octet-stream": {}}}})
async def fetch_blob(
    sha256: Hash, job: Annotated[int, Query(ge=0, le=2**62)], request: Request, db: Db, store: Store, slave: SlaveAsking
) -> Response:
    """Fetch a file of a job; only for the holder of a live lease of it. Takes Range."""
    size = await db.read(partial(readable, slave=slave.id, job=job, sha256=sha256))
    headers = {"content-type": "application/octet-stream", "cache-control": "private, max-age=31536000, immutable"}
    return await serve(request, store, sha256, size, headers)


@router.get("/results/{attempt}/offset")
async def result_offset(
    attempt: Number, sha256: Digest, db: Db, store: Store, slave: SlaveAsking, settings: Settings
) -> UploadOffset:
    """Tell where sending a result goes on: how many of its bytes an upload that broke off has left here."""
    await db.read(partial(issued, slave=slave.id, attempt=attempt))
    upload = upload_of(slave.id, attempt, sha256, int(settings.result_limit))
    return UploadOffset(offset=await offset(store, upload))


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
    sha256: Digest | None = None,
) -> Response:
    """Send an attempt's result, a tar; it is durable when this is answered, and counts when it is reported.

    With its hash, a large one that broke off goes on with `Content-Range: bytes FIRST-LAST/ALL`, FIRST being its
    offset.
    """
    announced, limit = sent(request), int(settings.result_limit)
    if announced.total is not None and announced.total > limit:
        raise TooLarge(
            f"The result has {announced.total:,} bytes; the limit is {limit:,}.", hint="`result_limit` sets this."
        )
    if announced.start and sha256 is None:
        raise Malformed("A result that goes on needs its hash.")
    arriving = Arriving(body(request), limit, sha256, announced.start, announced.total)
    staged = await stage(db, store, slave.id, attempt, arriving)
    if announced.total not in (None, staged.size):
        raise LengthMismatch(f"{staged.size:,} bytes arrived; {announced.total:,} were announced.")
    return Response(staged.model_dump_json(), media_type="application/json")
