"""POST to an address that a user chose: never into the server's own network, unless its admin allows it."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from farm.client.aim import resolved
from farm.words.errors import Malformed, Unavailable

TIMEOUT = 10.0
"""Seconds."""


async def post(address: str, body: bytes, headers: dict[str, str], *, private: bool) -> None:
    """Send a body.

    The name is resolved here, and the connection goes to what was looked at: a name that
    means another machine a moment later leads nowhere else. Redirects are not followed.

    Args:
        address: http or https.
        body: JSON.
        headers: more of them.
        private: addresses that are none of the internet's are allowed.

    Raises:
        Malformed, Forbidden, Unavailable: it did not arrive, and why, in words.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Malformed(f"“{address[:80]}” is no address of a webhook.", hint="Begin it with https://.")
    at = await resolved(
        parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), "notify_private", private=private
    )
    host = parts.netloc.rpartition("@")[2]
    try:
        url = httpx.URL(address).copy_with(host=at)
    except httpx.InvalidURL as error:
        raise Malformed(f"“{address[:80]}” is no address of a webhook: {error}.") from error
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as http:
            request = http.build_request(
                "POST",
                url,
                content=body,
                headers={"content-type": "application/json", **headers, "host": host},
                extensions={"sni_hostname": parts.hostname},
            )
            answer = await http.send(request, stream=True)
            await answer.aclose()
    except httpx.HTTPError as error:
        raise Unavailable(f"{parts.hostname} can't be reached: {error or type(error).__name__}.") from error
    if not answer.is_success:
        raise Unavailable(f"{parts.hostname} answered with {answer.status_code}.")
