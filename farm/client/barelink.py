"""A slave's talk without an HTTP library, for load: thousands of pretend slaves in one process.

A call costs a tenth of what it costs with httpx, which is what a real slave uses. It speaks
just the HTTP/1.1 that our server answers with: a status, a length, a body.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from farm import __version__
from farm.client.http import context, encoded
from farm.protocol.slaves import Orders, Report, SlaveLogin, SlaveWelcome
from farm.words.errors import DistrenError, Unavailable, Unreachable, from_problem

PATIENCE = 15.0
"""Seconds that an answer may take, usually."""


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class BareLink:
    """Talk to one server as one slave: log in, report, log out.

    Args:
        server: the server's address, `http://host:port`.
        verify: check certificates; a path names a certificate to trust.
        patience: seconds that an answer may take beyond the time for which a call may hang.

    Raises:
        Unreachable, Unavailable: try again, with jittered backoff.
        DistrenError: others are the server's word, and final.
    """

    def __init__(self, server: str, verify: bool | str = True, patience: float = PATIENCE) -> None:
        place = urlsplit(server)
        self._host = place.hostname or ""
        self._port = place.port or (443 if place.scheme == "https" else 80)
        self._tls = context(verify) if place.scheme == "https" else None
        self._authority = place.netloc
        self._path = place.path.rstrip("/")
        self._patience = patience
        self._token = ""
        self._idle: list[_Way] = []
        self._open: set[_Way] = set()

    async def login(self, login: SlaveLogin) -> SlaveWelcome:
        """Open the slave's login; its token is used from now on."""
        welcome = SlaveWelcome.model_validate_json(await self._post("/api/slave/login", encoded(login)))
        self._token = welcome.token
        return welcome

    async def next(self, report: Report) -> Orders:
        """Report, and get orders; hangs for up to `report.hold` seconds."""
        said = report.model_dump_json().encode()
        return Orders.model_validate_json(await self._post("/api/slave/next", said, report.hold))

    async def logout(self) -> None:
        """Give everything back and close the login."""
        await self._post("/api/slave/logout", b"")

    async def close(self) -> None:
        """Close the connections."""
        self._idle.clear()
        for way in tuple(self._open):
            await self._drop(way)

    async def _post(self, path: str, body: bytes, hold: float = 0.0) -> bytes:
        way = await self._way()
        try:
            async with asyncio.timeout(hold + self._patience):
                way.writer.write(self._head(path, len(body)) + body)
                status, length, lasts = _parsed(await way.reader.readuntil(b"\r\n\r\n"))
                answer = await way.reader.readexactly(length)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as error:
            await self._drop(way)
            why = str(error) or type(error).__name__
            raise Unavailable(f"The connection to {self._authority} broke: {why}.") from error
        except asyncio.CancelledError:
            way.writer.close()
            raise
        if lasts:
            self._idle.append(way)
        else:
            await self._drop(way)
        if status >= 400:
            raise _problem(answer, status)
        return answer

    async def _way(self) -> _Way:
        """Return an open connection that nobody uses; those that the server closed are dropped."""
        while self._idle:
            way = self._idle.pop()
            if not way.reader.at_eof():
                return way
            await self._drop(way)
        return await self._connect()

    async def _connect(self) -> _Way:
        try:
            async with asyncio.timeout(self._patience):
                way = _Way(*await asyncio.open_connection(self._host, self._port, ssl=self._tls))
        except OSError as error:  # TimeoutError, too
            raise Unreachable(f"No answer from {self._authority}: {error}.") from error
        self._open.add(way)
        return way

    async def _drop(self, way: _Way) -> None:
        self._open.discard(way)
        way.writer.close()
        with contextlib.suppress(OSError):
            await way.writer.wait_closed()

    def _head(self, path: str, length: int) -> bytes:
        lines = [
            f"POST {self._path}{path} HTTP/1.1",
            f"Host: {self._authority}",
            f"User-Agent: distren/{__version__}",
            "Content-Type: application/json",
            f"Content-Length: {length}",
            *([f"Authorization: Bearer {self._token}"] if self._token else []),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _parsed(head: bytes) -> tuple[int, int, bool]:
    """Return an answer's status, the length of its body, and whether the connection lasts.

    Raises:
        ValueError: it is no such answer.
    """
    first, *lines = head.decode("latin-1").lower().split("\r\n")
    fields = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status, length = int(first.partition(" ")[2][:3]), int(fields.get("content-length", 0))
    return status, length, fields.get("connection") != "close"


def _problem(answer: bytes, status: int) -> DistrenError:
    try:
        body = json.loads(answer)
    except ValueError:
        body = {}
    return from_problem(body if isinstance(body, dict) else {}, status)
