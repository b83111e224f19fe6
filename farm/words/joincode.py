"""What a person types on a new machine: one word with all that it needs to join a server.

`k7m2p-x9q4r-…@http://10.0.0.5:8282#SHA256`: the secret, the server's address, and the fingerprint
of its certificate if it has one, so that nothing is sent to anybody else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import ClassVar, Self

from farm.words.errors import Malformed

_SECRET = re.compile(r"[a-z0-9]{5}(-[a-z0-9]{5}){2,7}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JoinCode:
    """A join code in its parts.

    Args:
        secret: what the server keeps the hash of.
        address: where the server is; without a scheme as people write it.
        fingerprint: SHA-256 (hex) of its certificate; empty: it has none, or one that everybody trusts.
    """

    what: ClassVar[str] = "join code"
    made_by: ClassVar[str] = "distren join-code"

    secret: str
    address: str
    fingerprint: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a code as it was pasted or typed: spaces and case of the secret don't count.

        Raises:
            Malformed: it is none.
        """
        secret, at, rest = "".join(text.split()).partition("@")
        address, _, fingerprint = rest.partition("#")
        secret, fingerprint = secret.lower(), fingerprint.lower().replace(":", "")
        if not (at and address and _SECRET.fullmatch(secret)) or (
            fingerprint and not _FINGERPRINT.fullmatch(fingerprint)
        ):
            raise Malformed(f"This is no {cls.what}.", hint=f"Copy it whole from `{cls.made_by}`: letters@address.")
        return cls(secret, address, fingerprint)

    def __str__(self) -> str:
        return f"{self.secret}@{self.address}" + (f"#{self.fingerprint}" if self.fingerprint else "")


@dataclass(frozen=True, slots=True)
class PeerCode(JoinCode):
    """What the admin of another server gets; the fingerprint is that of the inviting server's public key."""

    what: ClassVar[str] = "code of a peer's"
    made_by: ClassVar[str] = "distren peers invite"


def fingerprint_of(pem: str) -> str:
    """Return the SHA-256 (hex) of the first certificate of a PEM text; empty if there is none."""
    found = _CERTIFICATE.search(pem)
    try:
        return hashlib.sha256(base64.b64decode("".join(found[1].split()))).hexdigest() if found else ""
    except binascii.Error:
        return ""
