"""Opaque secrets: random text that is shown once and kept as its hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters and digits that nobody takes for one another."""


def token(kind: str) -> str:
    """Return a new secret of 256 bits; the prefix lets scanners of leaked secrets find it."""
    return f"distren_{kind}_{secrets.token_urlsafe(32)}"


def code(groups: int = 4) -> str:
    """Return a new code that a person can read out: groups of five letters, about 25 bits each."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(groups))


def digest(secret: str) -> bytes:
    """Return what is kept of a secret: SHA-256, since what we made needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def same(one: bytes, other: bytes) -> bool:
    """Compare digests without telling by the time taken where they differ."""
    return hmac.compare_digest(one, other)
