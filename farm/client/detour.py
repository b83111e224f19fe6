"""The way past a server, straight to its bucket; who does not get through comes back, and stays for a while."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from farm.client.http import SENDING, context, translated
from farm.client.landing import Landing
from farm.client.patience import OnBytes, unwatched
from farm.package.hashing import CHUNK
from farm.protocol.uploads import DIRECT, DirectUpload
from farm.words.errors import Unavailable, Unreachable

STAYS = 600.0
"""Seconds for which nobody tries again what did not work."""

_PATIENCE = httpx.Timeout(30, connect=5)


class Detour:
    """Know whether the way works, and what is sent that way.

    The bucket is trusted as any place of the internet is, not by the farm's own certificate; it gets no token, and what
    comes from it is compared with the hash that the server named.

    Args:
        closed: nobody goes there, whatever a server answers: another farm's could lead into this one's own network.
    """

    def __init__(self, *, closed: bool = False) -> None:
        self._closed = closed
        self._until = math.inf if closed else 0.0

    @property
    def asked(self) -> dict[str, str]:
        """The header that asks for the way, unless it did not work lately."""
        return {DIRECT: "yes"} if time.monotonic() >= self._until else {}

    def failed(self) -> None:
        """Note that it does not work."""
        self._until = max(self._until, time.monotonic() + STAYS)

    def address(self, response: httpx.Response) -> str | None:
        """Return where a server's answer leads; None: it is the answer itself; empty: where nobody goes, as out of TLS.

        Args:
            response: the answer; its body may be unread.
        """
        if response.status_code != httpx.codes.TEMPORARY_REDIRECT:
            return None
        address = response.headers.get("location", "")
        fit = not self._closed and urlsplit(address).scheme in ("https", response.url.scheme)
        return str(address) if fit else ""

    def land(self, address: str, landing: Landing, have: int, on_bytes: OnBytes = unwatched) -> bool:
        """Fetch the rest of a file from a bucket; return whether all came. Nothing changed where it did not begin.

        Args:
            address: where it is, with the permission to fetch: it is nobody else's business.
            landing: takes the bytes.
            have: how many it holds.
            on_bytes: is told of bytes that arrived.

        Raises:
            Unavailable: it broke off amid the bytes; the next try goes through the server.
        """
        with (
            self._trying(address) as going,
            httpx.Client(**_options()) as client,
            client.stream("GET", address, headers=_rest(have)) as response,
        ):
            if going.well(_good(response, have)):
                for chunk in response.iter_bytes(CHUNK):
                    landing.write(chunk)
                    on_bytes(len(chunk))
        return going.goes

    async def land_async(self, address: str, landing: Landing, have: int) -> bool:
        """Do what :meth:`land` does, inside an event loop."""
        with self._trying(address) as going:
            async with (
                httpx.AsyncClient(**_options()) as client,
                client.stream("GET", address, headers=_rest(have)) as response,
            ):
                if going.well(_good(response, have)):
                    async for chunk in response.aiter_bytes(CHUNK):
                        landing.write(chunk)
        return going.goes

    def put(self, way: DirectUpload, content: Iterator[bytes]) -> bool:
        """Send bytes to a bucket; return whether it took them."""
        with self._trying(way.address) as going, httpx.Client(**_options()) as client:
            going.well(client.put(way.address, content=content, headers=way.headers, timeout=SENDING).is_success)
        return going.goes

    @contextmanager
    def _trying(self, address: str) -> Iterator[_Going]:
        """Note whether the way works. What breaks before it is known to is no error: there is the other way."""
        going = _Going()
        try:
            with translated(_place(address)):
                yield going
        except (Unreachable, Unavailable):
            self.failed()
            if going.goes:
                raise
        if not going.goes:
            self.failed()


class _Going:
    """Whether a way goes, as far as it is known."""

    goes = False

    def well(self, goes: bool) -> bool:
        """Learn it from the bucket's answer, and return it."""
        self.goes = goes
        return goes


def _options() -> dict[str, Any]:
    return {"verify": context(True), "timeout": _PATIENCE, "trust_env": False}


def _rest(have: int) -> dict[str, str]:
    return {"Range": f"bytes={have}-"} if have else {}


def _good(response: httpx.Response, have: int) -> bool:
    return response.status_code == (httpx.codes.PARTIAL_CONTENT if have else httpx.codes.OK)


def _place(address: str) -> str:
    """Return what may be said of an address: where it leads, not what it permits."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
