"""`PUT /api/blobs/{sha256}`: the bytes of a receiving job's file."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from farm.accounts.identity import Identity
from farm.api.blobs.serving import STRAIGHT, body, sent
from farm.api.dependencies import Db, Store, User
from farm.files.partials import Upload
from farm.files.store import offset, take_in
from farm.jobs import files
from farm.protocol.uploads import DIRECT, RESUMABLE_BYTES, BlobKept, DirectUpload, UploadOffset
from farm.words.clock import now
from farm.words.errors import LengthMismatch, WrongOffset

router = APIRouter(prefix="/api/blobs", tags=["jobs"])

Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the bytes, lower-case hex.")]


@router.get("/{sha256}/offset")
async def blob_offset(sha256: Hash, request: Request, db: Db, store: Store, user: User) -> UploadOffset:
    """Tell where sending a file goes on: how many of its bytes an upload of yours that broke off has left here.

    Who asks with the header `Distren-Direct` may be told of a way straight to the server's bucket.
    """
    digest = bytes.fromhex(sha256)
    if await db.read(partial(files.possessed, user=user.id, hashes=[digest])):
        size = await db.read(partial(files.size_of, digest=digest))
        return UploadOffset(offset=size if await asyncio.to_thread(store.size, sha256) == size else 0)
    awaited = await db.read(partial(files.awaited, user=user.id, sha256=sha256))
    upload = _upload(user, sha256, awaited)
    here = await offset(store, upload) if upload else 0
    if here or DIRECT not in request.headers or awaited.size < STRAIGHT:
        return UploadOffset(offset=here)
    way = await asyncio.to_thread(store.way_in, _sender(user), sha256, awaited.size)
    return UploadOffset(offset=0, direct=DirectUpload(address=way.address, headers=way.headers) if way else None)


@router.post(
    "/{sha256}/arrived",
    status_code=201,
    response_model=BlobKept,
    responses={200: {"model": BlobKept, "description": "You had sent these bytes before."}},
)
async def blob_arrived(sha256: Hash, db: Db, store: Store, user: User) -> Response:
    """Say that a file has been sent to the server's bucket, by the way that its offset named; it counts from now on."""
    digest = bytes.fromhex(sha256)
    if await db.read(partial(files.possessed, user=user.id, hashes=[digest])):
        return _kept(sha256, await db.read(partial(files.size_of, digest=digest)), 200)
    awaited = await db.read(partial(files.awaited, user=user.id, sha256=sha256))
    await asyncio.to_thread(store.take, _sender(user), sha256, awaited.size)
    await db.write(partial(files.received, user=user.id, sha256=sha256, size=awaited.size, at=now()))
    return _kept(sha256, awaited.size, 201)


@router.put(
    "/{sha256}",
    status_code=201,
    response_model=BlobKept,
    responses={200: {"model": BlobKept, "description": "You had sent these bytes before."}},
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def put_blob(sha256: Hash, request: Request, db: Db, store: Store, user: User) -> Response:
    """Send the bytes that a receiving job of yours waits for; they are checked as they arrive.

    An upload that broke off goes on with `Content-Range: bytes FIRST-LAST/ALL`, FIRST being its offset.
    """
    digest, announced, upload = bytes.fromhex(sha256), sent(request), None
    if await db.read(partial(files.possessed, user=user.id, hashes=[digest])):
        size = await db.read(partial(files.size_of, digest=digest))
        # Bytes that a damaged disk lost are taken anew.
        if await asyncio.to_thread(store.size, sha256) == size:
            return _kept(sha256, size, 200)
    else:
        awaited = await db.read(partial(files.awaited, user=user.id, sha256=sha256))
        size, upload = awaited.size, _upload(user, sha256, awaited)
    if announced.total not in (None, size):
        raise LengthMismatch(f"{announced.total:,} bytes are announced; the job's manifest says {size:,}.")
    if upload is None and announced.start:
        raise WrongOffset("So small a file is sent whole.", offset=0)
    stored = await take_in(store, body(request), sha256, size, upload, announced.start)
    await db.write(partial(files.received, user=user.id, sha256=sha256, size=stored.size, at=now()))
    return _kept(sha256, stored.size, 201)


def _upload(user: Identity, sha256: str, awaited: files.Awaited) -> Upload | None:
    """Return what goes on when it breaks off; None: it is sent anew."""
    return Upload(_sender(user), sha256, awaited.quota) if awaited.size >= RESUMABLE_BYTES else None


def _sender(user: Identity) -> str:
    return f"user-{user.id}"


def _kept(sha256: str, size: int, status: int) -> Response:
    return Response(BlobKept(sha256=sha256, size=size).model_dump_json(), status, media_type="application/json")
