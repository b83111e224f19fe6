"""Bytes over HTTP, both ways, in constant memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import structlog
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from farm.api import problem
from farm.api.blobs import byterange
from farm.files.store import BlobStore
from farm.protocol.uploads import DIRECT
from farm.words.errors import BrokenOff, FileNotHere, Malformed, RangeNotSatisfiable

log = structlog.get_logger(__name__)

INLINE = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
"""What a browser may show; all else is to be saved, since an artist's file could be a script to it."""


STILL = 30.0
"""Seconds without a byte after which an upload has broken off.

Less than senders wait for theirs to get through, so that it is free for their next try."""


async def body(request: Request) -> AsyncIterator[bytes]:
    """Give a request's body as it arrives.

    Raises:
        BrokenOff: it broke off.
    """
    stream = request.stream()
    try:
        while True:
            async with asyncio.timeout(STILL):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            if chunk:
                yield chunk
    except ClientDisconnect as error:
        raise BrokenOff(hint="Send the rest.") from error
    except TimeoutError as error:
        raise BrokenOff(f"The upload stood still for {STILL:g} seconds.", hint="Send the rest.") from error


@dataclass(frozen=True, slots=True)
class Sent:
    """What a PUT announces: where its bytes begin, how many they are, how many all are; None: it does not say."""

    start: int = 0
    length: int | None = None
    total: int | None = None


STRAIGHT = 1024 * 1024
"""Bytes of the smallest file for which another connection is worth its while."""

_SHOWN = {"image", "video"}
"""What a browser's page fetches to show it, by Sec-Fetch-Dest."""

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


def sent(request: Request) -> Sent:
    """Return what a PUT announces by Content-Length and Content-Range (RFC 9110, section 14.5).

    Raises:
        Malformed: it makes no sense, or ends before the last byte.
    """
    length, said = announced(request), request.headers.get("content-range")
    if said is None:
        return Sent(0, length, length)
    match = _RANGE.fullmatch(said.strip())
    start, last, total = map(int, match.groups()) if match else (0, 0, 0)
    if not 0 <= start <= last == total - 1 or length not in (None, total - start):
        raise Malformed(
            "The Content-Range makes no sense.", hint="Write bytes FIRST-LAST/ALL, and send all up to the last byte."
        )
    return Sent(start, total - start, total)


def announced(request: Request) -> int | None:
    """Return the Content-Length; None for a body that comes in chunks."""
    length = request.headers.get("content-length")
    if length is None:
        return None
    if not length.isdigit():
        raise Malformed("The Content-Length is no number.")
    return int(length)


async def serve(request: Request, store: BlobStore, sha256: str, size: int, headers: dict[str, str]) -> Response:
    """Answer with a blob or a range of it, or with where else it is; HEAD gets the headers.

    Args:
        request: whose Range, If-Range and If-None-Match count.
        store: where the blob is.
        sha256: its hash, which is the ETag.
        size: bytes that it must have.
        headers: more for the answer, such as `content-type`.

    Raises:
        FileNotHere: the bytes are not in the store.
    """
    found = await asyncio.to_thread(store.size, sha256)
    if found != size:
        log.error("A blob is missing or damaged.", sha256=sha256, expected=size, found=found)
        raise FileNotHere(f"The bytes of {sha256[:12]}… are not here any more.", hint="Tell the server's admin.")
    if elsewhere := _way_out(request, store, sha256, size, headers):
        # Nobody keeps it: it holds for two minutes, and for those who have asked.
        return Response(
            None, 307, {"location": elsewhere, "cache-control": "no-store", "referrer-policy": "no-referrer"}
        )
    return serve_stream(request, sha256, size, headers, partial(store.open_range, sha256))


def _way_out(request: Request, store: BlobStore, sha256: str, size: int, headers: dict[str, str]) -> str | None:
    """Return where else somebody fetches a blob; None: from us, as small files, and pages' own pictures."""
    browser = DIRECT not in request.headers
    asked = request.headers.get("sec-fetch-mode") == "navigate" if browser else True
    if not asked or size < STRAIGHT or request.method == "HEAD" or "if-none-match" in request.headers:
        return None
    return store.way_out(sha256, headers, browser)


def serve_stream(
    request: Request, mark: str, size: int, headers: dict[str, str], opened: Callable[[int, int], AsyncIterator[bytes]]
) -> Response:
    """Answer with bytes of a known number, or a range of them; HEAD gets the headers.

    Args:
        request: whose Range, If-Range and If-None-Match count.
        mark: the ETag: another one where the bytes differ.
        size: how many bytes.
        headers: more for the answer, such as `content-type`.
        opened: gives the bytes from a start up to before an end.
    """
    etag = f'"{mark}"'
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
    return StreamingResponse(opened(start, end), status, headers)


def goes_home(request: Request, response: Response) -> bool:
    """Tell whether somebody has all of it when this answer has gone out.

    A range up to the last byte counts, since what is before it came earlier; a page that shows it does not.
    """
    if request.headers.get("sec-fetch-dest") in _SHOWN or not isinstance(response, StreamingResponse):
        return False
    part = _RANGE.fullmatch(response.headers.get("content-range", ""))
    return part is None or int(part[2]) == int(part[3]) - 1


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
