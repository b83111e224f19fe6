"""What slaves fetch and send for a peer's jobs: passed on to the peer, bytes as they come."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from farm.accounts.identity import Identity
from farm.api import problem
from farm.api.blobs.serving import body
from farm.api.services import Services
from farm.peers import lent
from farm.protocol.signed import SLAVE
from farm.words.errors import DistrenError

_PATH = re.compile(r"/api/slave/(?:(jobs|results)/(\d{1,19})(/.*)?|blobs/[0-9a-f]{64})")


class Lent:
    """Answer slaves here for peers' jobs.

    Args:
        app: what answers all else.
        services: the parts of the server.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the peer whose job it is about, or to the application."""
        found = _aim(scope)
        if found is None:
            await self._app(scope, receive, send)
            return
        try:
            response: Response = await self._ask(Request(scope, receive), *found)
        except DistrenError as error:
            response = problem.answer(error)
        await response(scope, receive, send)

    async def _ask(self, request: Request, place: int, target: str) -> StreamingResponse:
        lender, peering = self._services.lender, self._services.peering
        slave: Identity = request.scope["identity"]
        row = await lender.passed(place)
        whole: bytes | AsyncIterator[bytes] = await request.body()
        if request.method == "PUT":
            whole = _counted(body(request), lender.moved, row.name)
        await peering.paced(row.name)
        headers = {key.lower(): value for key, value in request.headers.items()}
        to = peering.correspondence(row, SLAVE + slave.name)
        answer = await peering.relay().ask(to, request.method, target, headers, whole)
        if "application/json" in answer.headers.get("content-type", "") and answer.status < 400:
            told = _renumbered(b"".join([chunk async for chunk in answer.body]), place)
            return StreamingResponse(_once(told), answer.status, media_type="application/json")
        return StreamingResponse(_counted(answer.body, lender.moved, row.name), answer.status, answer.headers)


def _aim(scope: Scope) -> tuple[int, str] | None:
    """Return the place of the peer that a request is about, and what it is asked for; None: it is about this server."""
    if scope["type"] != "http" or not scope["path"].startswith("/api/slave/"):
        return None
    found = _PATH.fullmatch(scope["path"])
    if found is None or _of_a_peer(scope):
        return None  # what a peer's slave asks goes no further: lending has one hop
    query = scope["query_string"].decode("latin-1")
    kind, number, rest = found.groups()
    if kind is None:
        number = parse_qs(query).get("job", ["0"])[0]
    place, theirs = lent.there(int(number)) if number.isdecimal() and len(number) < 20 else (0, 0)
    if not place:
        return None
    if kind is None:
        return place, f"{scope['path']}?job={theirs}"
    return place, f"/api/slave/{kind}/{theirs}{rest or ''}" + (f"?{query}" if query else "")


def _of_a_peer(scope: Scope) -> bool:
    identity = scope.get("identity")
    return isinstance(identity, Identity) and bool(identity.peer)


def _renumbered(told: bytes, place: int) -> bytes:
    """Return a peer's answer with the numbers by which slaves here know its jobs and attempts."""
    found = json.loads(told)
    for name in ("job", "attempt"):
        if name in found:
            found[name] = lent.here(place, found[name])
    if found.get("circle"):
        found["circle"] = f"{place}-{found['circle']}"[:40]
    return json.dumps(found).encode()


async def _counted(chunks: AsyncIterator[bytes], moved: Callable[[str, int], None], peer: str) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        moved(peer, len(chunk))
        yield chunk


async def _once(whole: bytes) -> AsyncIterator[bytes]:
    yield whole
