"""`PUT /api/blobs/{sha256}`: the bytes of a receiving job's file."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from farm.api.blobs.serving import announced, body
from farm.api.dependencies import Db, Store, User
from farm.jobs import files
from farm.protocol.jobs import BlobKept
from farm.words.clock import now
from farm.words.errors import LengthMismatch

router = APIRouter(prefix="/api/blobs", tags=["jobs"])

Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the bytes, lower-case hex.")]


@router.put(
    "/{sha256}",
    status_code=201,
    response_model=BlobKept,
    responses={200: {"model": BlobKept, "description": "You had sent these bytes before."}},
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def put_blob(sha256: Hash, request: Request, db: Db, store: Store, user: User) -> Response:
    """Send the bytes that a receiving job of yours waits for; they are checked as they arrive."""
    digest = bytes.fromhex(sha256)
    if await db.read(partial(files.possessed, user=user.id, hashes=[digest])):
        size = await db.read(partial(files.size_of, digest=digest))
        # Bytes that a damaged disk lost are taken anew.
        if store.size(sha256) == size:
            return _kept(sha256, size, 200)
    else:
        size = await db.read(partial(files.awaited, user=user.id, sha256=sha256))
    length = announced(request)
    if length not in (None, size):
        raise LengthMismatch(f"{length:,} bytes are announced; the job's manifest says {size:,}.")
    stored = await store.put(body(request), sha256, size)
    await db.write(partial(files.received, user=user.id, sha256=sha256, size=stored.size, at=now()))
    return _kept(sha256, stored.size, 201)


def _kept(sha256: str, size: int, status: int) -> Response:
    return Response(BlobKept(sha256=sha256, size=size).model_dump_json(), status, media_type="application/json")
