"""What one server says to another, signed: an HTTP request with a few headers more, and its answer.

A signature holds for one request, of one server, to one other, for one user, at one time: none of these can be
changed, and nothing can be said twice. `docs/adr/0011-servers-sign-what-they-say.md` has the reasons.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from farm.protocol.peers import PEERING
from farm.words.errors import Malformed, VersionUnfit
from farm.words.names import PERSON_NAME, SERVER_NAME

SIGNATURE = "distren-signature"
"""The header by which a request is one of a server's."""

ANSWER = "distren-answer"
"""The header with the signature of an answer."""

SKEW = 60_000_000
"""µs by which two servers' clocks may differ, and for which a message is on its way at most."""

SLAVE = ":"
"""What stands before the name of a slave for which a server asks: no user's name begins so."""

STREAMED = "-"
"""The digest of a body that is named by its hash in the address, and checked against that as it arrives."""

_NAMES = ("distren-peering", "distren-from", "distren-to", "distren-user", "distren-time", "distren-nonce")
_BODY = "distren-body"
_NONCE = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}|-")
_RAW = re.compile(
    r"/api/(events|slave/blobs/[0-9a-f]{64}|jobs/\d+/(progress|bundle|package|output/.+|frames/\d+/(log|thumbnail|bundle)))(\?.*)?"
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A request of a server's, without its body.

    Args:
        method: GET, POST …
        target: path and query, from the server's own root on, as they are sent.
        digest: SHA-256 of the body in hex, or :data:`STREAMED`.
        sender: the server that says it.
        to: the server that it is said to.
        user: for whom, at the sender; with :data:`SLAVE` before it, a slave; empty: for the server itself.
        at: when, µs.
        nonce: 128 random bits in hex.
        peering: the version of what servers say to each other.
    """

    method: str
    target: str
    digest: str
    sender: str
    to: str
    user: str
    at: int
    nonce: str
    peering: int = PEERING

    @classmethod
    def read(cls, method: str, target: str, headers: Mapping[str, str]) -> Self:
        """Read a request's headers.

        Raises:
            Malformed: something is missing, or is none of these.
        """
        peering, sender, to, user, at, nonce = (headers.get(name, "") for name in _NAMES)
        digest = headers.get(_BODY, "")
        well = (
            peering.isascii()
            and peering.isdigit()
            and len(peering) < 10
            and at.isascii()
            and at.isdigit()
            and len(at) < 20,
            SERVER_NAME.fullmatch(sender),
            SERVER_NAME.fullmatch(to),
            not user or PERSON_NAME.fullmatch(user.removeprefix(SLAVE)),
            _NONCE.fullmatch(nonce),
            _DIGEST.fullmatch(digest),
        )
        if not all(well):
            raise Malformed("This is signed, but is no message of a server's.")
        return cls(method, target, digest, sender, to, user, int(at), nonce, int(peering))

    def text(self) -> bytes:
        """Return what is signed."""
        parts = ("distren request", *self._values(), self.digest, self.method, self.target)
        return "\n".join(parts).encode()

    def headers(self, signature: bytes) -> dict[str, str]:
        """Return the headers that make a request this letter."""
        return {**dict(zip(_NAMES, self._values(), strict=True)), _BODY: self.digest, SIGNATURE: signature.hex()}

    def answered(self, status: int, body: bytes) -> bytes:
        """Return what is signed of an answer to this."""
        parts = ("distren answer", self.to, self.sender, self.nonce, str(status), digest_of(body))
        return "\n".join(parts).encode()

    def _values(self) -> tuple[str, ...]:
        return (str(self.peering), self.sender, self.to, self.user, str(self.at), self.nonce)


def signature_of(headers: Mapping[str, str], name: str = SIGNATURE) -> bytes:
    """Return a signature; empty if there is none, or it is none."""
    try:
        return bytes.fromhex(headers.get(name, ""))
    except ValueError:
        return b""


def digest_of(body: bytes) -> str:
    """Return what a letter says of its body."""
    return hashlib.sha256(body).hexdigest()


def unfit(server: str, peering: int) -> VersionUnfit:
    """Return the error of a server that speaks another version."""
    older = "older" if peering < PEERING else "newer"
    text = f"{server} speaks version {peering} of what servers say to each other; this one's is {PEERING}"
    return VersionUnfit(f"{text}, so it is {older}.", hint="Bring the older one of the two up to date.")


def raw(target: str) -> bool:
    """Tell whether what an address answers is not signed: bytes whose hashes are told elsewhere, logs, and streams."""
    return _RAW.fullmatch(target) is not None
