"""Pass a user's requests on to a peer, bytes as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from farm.client.aim import AimedAsync
from farm.client.http import options, translated
from farm.client.peerlink import MOST, SETTING, Correspondence, Signed, letter_of, too_large
from farm.protocol.signed import raw

PATIENCE = httpx.Timeout(60, connect=10, read=120)
"""Seconds: a large file must be on the other's disk before it is answered; a stream of events says something sooner."""

TOLD = ("content-type", "content-length", "content-range", "accept-ranges", "etag", "retry-after", "last-modified")
"""Headers of an answer that are passed on."""

ASKED = ("content-type", "content-length", "content-range", "range", "if-range", "last-event-id", "accept")
"""Headers of a request that are."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """A peer's answer: its bytes come as they are asked for, and end the request."""

    status: int
    headers: dict[str, str]
    body: AsyncIterator[bytes]


class Relay:
    """The connections to all peers.

    Args:
        private: peers may be in private networks.
    """

    def __init__(self, *, private: bool) -> None:
        how = options("", None, verify=True)
        self._http = httpx.AsyncClient(
            **{**how, "timeout": PATIENCE, "transport": AimedAsync(SETTING, private=private)}
        )

    async def ask(
        self,
        to: Correspondence,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | AsyncIterator[bytes],
    ) -> Relayed:
        """Ask a peer.

        Args:
            to: who asks whom.
            method: GET, POST …
            target: path and query.
            headers: of the request; only some are passed on.
            body: all of it, which is signed; or as it comes, of a file.

        Raises:
            Unreachable, Unavailable, Forbidden: there is no answer.
            PeerRefused: the answer is not signed by the peer, or larger than any that is.
        """
        passed = {name: value for name, value in headers.items() if name in ASKED}
        request = self._http.build_request(method, to.url + target, content=body, headers=passed)
        with translated(to.url):
            response = await self._http.send(request, stream=True, auth=Signed(to))
            letter = letter_of(response)
            told = {name: value for name, value in response.headers.items() if name in TOLD}
            if raw(letter.target) and not response.is_error:
                return Relayed(response.status_code, told, _bytes(response, to.url))
            try:
                whole = await _whole(response, to.peer)
            finally:
                await response.aclose()
        to.check(letter, response.status_code, response.headers, whole)
        return Relayed(response.status_code, told, _once(whole))

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()


async def _whole(response: httpx.Response, peer: str) -> bytes:
    gathered = bytearray()
    async for chunk in response.aiter_raw():
        gathered += chunk
        if len(gathered) > MOST:
            raise too_large(peer)
    return bytes(gathered)


async def _bytes(response: httpx.Response, server: str) -> AsyncIterator[bytes]:
    try:
        with translated(server):
            async for chunk in response.aiter_raw():
                yield chunk
    finally:
        await response.aclose()


async def _once(whole: bytes) -> AsyncIterator[bytes]:
    yield whole
