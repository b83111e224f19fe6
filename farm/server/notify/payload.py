"""What a webhook is sent, in the shapes that are understood there. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from farm.accounts.notices import Pending
from farm.words.clock import SECOND, moment
from farm.words.notices import Way

SIGNATURE = "X-DistRen-Signature"
"""The header with a webhook's signature: `t=SECONDS,v1=HEX`, HMAC-SHA256 of `SECONDS.BODY` by its secret."""


def payload(one: Pending, server: str, url: str) -> bytes:
    """Return the body of a POST, JSON.

    Args:
        one: what is to be said.
        server: this server's name.
        url: where its pages are.
    """
    text = "\n".join(filter(None, [one.title, one.body, f"{url}{one.path}" if one.path else ""]))
    shapes: dict[Way, dict[str, Any]] = {
        # No mention in a job's name shall call everybody (Discord: "allowed_mentions"; Slack: escapes).
        Way.DISCORD: {"content": text[:2000], "allowed_mentions": {"parse": []}},
        Way.SLACK: {"text": _slack(text)},
    }
    plain = {
        "server": server,
        "about": one.about.value,
        "id": one.id,
        "at": (moment(one.at) or "") and str(moment(one.at)),
        "user": one.user,
        "title": one.title,
        "text": one.body,
        "url": f"{url}{one.path}",
    }
    return json.dumps(shapes.get(one.way, plain), ensure_ascii=False).encode()


def signature(secret: str, body: bytes, at: int) -> str:
    """Return the signature of a body sent at a time (µs), so that who knows the secret can tell it is ours."""
    seconds = str(at // SECOND)
    made = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={made.hexdigest()}"


def _slack(text: str) -> str:
    for plain, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(plain, written)
    return text
