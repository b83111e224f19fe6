"""Bytes over HTTP, both ways, in constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import structlog
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from farm.api import problem
from farm.api.blobs import byterange
from farm.files.store import BlobStore
from farm.words.errors import FileNotHere, LengthMismatch, Malformed, RangeNotSatisfiable

log = structlog.get_logger(__name__)

INLINE = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
"""What a browser may show; all else is to be saved, since an artist's file could be a script to it."""


async def body(request: Request) -> AsyncIterator[bytes]:
    """Give a request's body as it arrives.

    Raises:
        LengthMismatch: it broke off.
    """
    try:
        async for chunk in request.stream():
            if chunk:
                yield chunk
    except ClientDisconnect as error:
        raise LengthMismatch("The upload broke off.", hint="Send it again.") from error


def announced(request: Request) -> int | None:
    """Return the Content-Length; None for a body that comes in chunks."""
    length = request.headers.get("content-length")
    if length is None:
        return None
    if not length.isdigit():
        raise Malformed("The Content-Length is no number.")
    return int(length)


def serve(request: Request, store: BlobStore, sha256: str, size: int, headers: dict[str, str]) -> Response:
    """Answer with a blob or a range of it; HEAD gets the headers.

    Args:
        request: whose Range, If-Range and If-None-Match count.
        store: where the blob is.
        sha256: its hash, which is the ETag.
        size: bytes that it must have.
        headers: more for the answer, such as `content-type`.

    Raises:
        FileNotHere: the bytes are not in the store.
    """
    if store.size(sha256) != size:
        log.error("A blob is missing or damaged.", sha256=sha256, expected=size, found=store.size(sha256))
        raise FileNotHere(f"The bytes of {sha256[:12]}… are not here any more.", hint="Tell the server's admin.")
    etag = f'"{sha256}"'
    headers = {"etag": etag, "accept-ranges": "bytes", "x-content-type-options": "nosniff", **headers}
    if etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
        return Response(None, 304, headers)
    try:
        part = _part(request, etag, size)
    except RangeNotSatisfiable as error:
        refused = problem.answer(error)
        refused.headers["content-range"] = f"bytes */{size}"
        return refused
    start, end = part or (0, size)
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    headers["content-length"] = str(end - start)
    status = 206 if part else 200
    if request.method == "HEAD" or start == end:
        return Response(None, status, headers)
    return StreamingResponse(store.open_range(sha256, start, end), status, headers)


def _part(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    if request.headers.get("if-range", etag).strip() != etag:
        return None
    return byterange.parse(request.headers.get("range"), size)


def naming(name: str) -> dict[str, str]:
    """Return the headers that name a file and say what it is."""
    last = name.rsplit("/", 1)[-1]
    suffix = f".{last.rsplit('.', 1)[-1].lower()}" if "." in last else ""
    kind = INLINE.get(suffix)
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in last)
    where = "inline" if kind else "attachment"
    return {
        "content-type": kind or "application/octet-stream",
        "content-disposition": f"{where}; filename=\"{plain}\"; filename*=UTF-8''{quote(last, safe='')}",
    }
