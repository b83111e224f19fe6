"""`/api/peers/{name}/via/…`: a peer's API, for users of this server: it signs for them, and passes bytes on both ways.

So all that a client can do at a server, it can do at this server's peers, with the account that it has here.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from farm.api.blobs.serving import body
from farm.api.dependencies import Farm, User
from farm.api.peers.endpoints import Name

router = APIRouter(prefix="/api/peers/{name}/via", include_in_schema=False)

SHOWN = frozenset(
    {
        "application/json",
        "application/problem+json",
        "application/octet-stream",
        "application/x-tar",
        "text/event-stream",
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "video/mp4",
        "video/webm",
    }
)
"""Kinds of answers that stay what they are: a page of a peer's would be one of this server's to a browser."""

_FILE = re.compile(r"/api/blobs/[0-9a-f]{64}")


@router.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def pass_on(name: Name, path: str, request: Request, user: User, farm: Farm) -> Response:
    """Ask a peer for a user of this server, and give the answer back as it comes."""
    peering = farm.peering
    to = await peering.to(name, user.name)
    await peering.paced(name)
    whole: bytes | AsyncIterator[bytes] = body(request) if _is_file(request, path) else await request.body()
    headers = {key.lower(): value for key, value in request.headers.items()}
    answer = await peering.relay().ask(to, request.method, _target(request, name), headers, whole)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    told = dict(answer.headers) if kind in SHOWN else {**answer.headers, "content-type": "text/plain; charset=utf-8"}
    safe = {"x-content-type-options": "nosniff", "content-security-policy": "sandbox", "cache-control": "no-store"}
    return StreamingResponse(answer.body, answer.status, {**told, **safe})


def _is_file(request: Request, path: str) -> bool:
    return request.method == "PUT" and _FILE.fullmatch(f"/{path}") is not None


def _target(request: Request, name: str) -> str:
    """Return the path and query that a peer is asked for, as they were sent."""
    sent = str(request.scope["raw_path"].decode("latin-1")).partition(f"/api/peers/{name}/via")[2]
    query = request.scope["query_string"].decode("latin-1")
    return f"{sent}?{query}" if query else sent
