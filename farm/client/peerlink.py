"""How one server talks to another: as a client whose requests are signed, and who believes signed answers only."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass

import httpx

from farm.client.aim import Aimed
from farm.client.detour import Detour
from farm.client.farmclient import FarmClient
from farm.client.http import options
from farm.protocol.signed import ANSWER, STREAMED, Letter, digest_of, raw, signature_of
from farm.words.clock import now
from farm.words.errors import PeerRefused, Unauthenticated

SETTING = "peer_private"
"""The setting by which an admin lets peers be in private networks."""

UNSIGNED = frozenset({401, 403, 409, 429, 500, 502, 503, 504})
"""Refusals that may come from a server that does not know this one, or a proxy: nothing is concluded from them."""

MOST = 16 * 2**20
"""Bytes of an answer that is signed, and so is read whole; files and streams are not."""

_LETTER = "distren"
"""The extension in which a request carries its letter, for the answer."""


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Who writes to whom.

    Args:
        server: this one.
        peer: the other.
        url: where that one is.
        user: for whom; empty: for the server itself.
        sign: makes this server's signature of a text.
        verify: raises :class:`Unauthenticated` if a signature of a text is not the other's.
        private: the other may be in a private network.
    """

    server: str
    peer: str
    url: str
    user: str
    sign: Callable[[bytes], bytes]
    verify: Callable[[bytes, bytes], None]
    private: bool

    def letter(self, method: str, target: str, digest: str) -> Letter:
        """Return a new letter; it is said now, and once."""
        return Letter(method, target, digest, self.server, self.peer, self.user, now(), secrets.token_hex(16))

    def check(self, letter: Letter, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Believe an answer.

        Raises:
            PeerRefused: it is not the other server's, or was not given to this letter.
        """
        if status in UNSIGNED and ANSWER not in headers:
            return
        try:
            self.verify(letter.answered(status, body), signature_of(headers, ANSWER))
        except Unauthenticated as error:
            hint = "Does a proxy change answers? Has the other server new keys? `distren peers` says more."

            raise PeerRefused(f"An answer from {self.url} is not signed by {self.peer}.", hint=hint) from error


class Signed(httpx.Auth):
    """Sign what is sent.

    Args:
        to: who writes to whom.
    """

    def __init__(self, to: Correspondence) -> None:
        self._to = to
        self._root = httpx.URL(to.url).raw_path.decode("ascii").rstrip("/")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add a letter's headers to a request."""
        target = request.url.raw_path.decode("ascii").removeprefix(self._root)
        try:
            digest = digest_of(request.content)
        except httpx.RequestNotRead:
            digest = STREAMED
        letter = self._to.letter(request.method, target, digest)
        request.headers.update(letter.headers(self._to.sign(letter.text())))
        request.headers["accept-encoding"] = "identity"  # what is compressed on the way would not be what was signed
        request.extensions = {**request.extensions, _LETTER: letter}
        yield request


class _Measured(httpx.SyncByteStream):
    """A body that is refused beyond what a signed answer may have."""

    def __init__(self, stream: httpx.SyncByteStream, peer: str) -> None:
        self._stream, self._peer = stream, peer

    def __iter__(self) -> Iterator[bytes]:
        left = MOST
        for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise too_large(self._peer)
            yield chunk

    def close(self) -> None:
        """Close it."""
        self._stream.close()


def too_large(peer: str) -> PeerRefused:
    """Return the error of an answer that no server of ours gives."""
    return PeerRefused(f"{peer} answers with more than {MOST:,} bytes, which is no answer.")


def letter_of(response: httpx.Response) -> Letter:
    """Return the letter that was answered."""
    letter = response.request.extensions[_LETTER]
    assert isinstance(letter, Letter)
    return letter


class StrangerClient(FarmClient):
    """Ask a server that is no peer yet who it is.

    Args:
        url: where it is said to be.
        private: it may be in a private network.
    """

    def __init__(self, url: str, *, private: bool) -> None:
        self.server = url
        how = {**options(url, None, verify=True), "transport": Aimed(SETTING, private=private)}
        self._speak(httpx.Client(**how), Detour(closed=True))


class PeerClient(FarmClient):
    """Talk to a peer, for a user of this server's or for the server itself.

    Args:
        to: who writes to whom.

    Raises:
        PeerRefused: every method, if an answer is not signed by the peer.
    """

    def __init__(self, to: Correspondence) -> None:
        self.server = to.url
        self._to = to
        how = {**options(to.url, None, verify=True), "transport": Aimed(SETTING, private=to.private)}
        http = httpx.Client(**how, auth=Signed(to), event_hooks={"response": [self._believe]})
        self._speak(http, Detour(closed=True))

    def _believe(self, response: httpx.Response) -> None:
        letter = letter_of(response)
        if response.is_error or not raw(letter.target):
            assert isinstance(response.stream, httpx.SyncByteStream)
            response.stream = _Measured(response.stream, self._to.peer)
            self._to.check(letter, response.status_code, response.headers, response.read())
