"""What both clients share: addresses, tokens, and answers turned into our errors."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr

from farm import __version__
from farm.words.errors import GATEWAY, DistrenError, NotASetup, Unavailable, Unreachable, from_problem

TIMEOUT = httpx.Timeout(30, connect=10)
"""Seconds. Longer waits (long polls, large files) name their own."""


SENDING = httpx.Timeout(60, connect=10, read=120)
"""Seconds, for large bodies: to let the next bytes go, and for the answer, before which all must be on the disk."""


def resumed(arrived: int, size: int) -> int:
    """Return where an upload goes on: if all bytes arrived and only the answer was lost, the last one is sent again."""
    return min(arrived, size - 1)


def range_of(part: range) -> dict[str, str]:
    """Return the headers that announce a part of a body, up to its end (RFC 9110, section 14.5)."""
    headers = {"Content-Length": str(len(part))}
    if part.start:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{part.stop}"
    return headers


def options(server: str, token: str | None, verify: bool | str) -> dict[str, Any]:
    """Return what an httpx client of ours is made with.

    Args:
        server: the server's address, `http://host:port`.
        token: the login's token, if there is one.
        verify: check certificates; a path names a certificate to trust.
    """
    headers = {"User-Agent": f"distren/{__version__}"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    # Proxies of the environment are for the internet; a farm is reached as its address says.
    return {"base_url": server, "headers": headers, "verify": trusted(verify), "timeout": TIMEOUT, "trust_env": False}


def trusted(verify: bool | str) -> ssl.SSLContext | bool:
    """Return what httpx wants to know of certificates.

    Raises:
        NotASetup: the certificate to trust can't be read.
    """
    return context(verify) if verify else False


def context(verify: bool | str) -> ssl.SSLContext:
    """Return what Python's own TLS wants to know of certificates.

    Raises:
        NotASetup: the certificate to trust can't be read.
    """
    try:
        if verify is True:
            # Mozilla's list, and that of the machine: a studio may have an authority of its own.
            found = httpx.create_ssl_context(trust_env=False)
            found.load_default_certs()
            return found
        found = ssl.create_default_context(cafile=verify or None)
    except OSError as error:  # ssl.SSLError, too
        raise NotASetup(f"The certificate {verify} can't be read: {error}.", hint="It must be a PEM file.") from error
    if verify is False:
        found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    return found


def problem(response: httpx.Response) -> DistrenError:
    """Return the error that an answer's body describes; the body must have been read."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict) or "code" not in body:
        what = f"{response.request.method} {response.request.url} was answered with {response.status_code}."
        hint = "Is this the address of a DistRen server, and no proxy in between?"
        if response.status_code in GATEWAY:
            hint = "A proxy answered, and the server behind it does not: does it run?"
        return from_problem({"detail": what, "hint": hint}, response.status_code)
    return from_problem(body, response.status_code)


@contextmanager
def translated(server: str) -> Iterator[None]:
    """Turn what httpx raises into :class:`Unreachable` or :class:`Unavailable`."""
    try:
        yield
    except httpx.InvalidURL as error:
        raise Unreachable(f"“{server}” is no address: {error}.", hint="Write http://host:port.") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
        hint = "Is the server running, and is the address right? `distren doctor` looks closer."
        raise Unreachable(f"No answer from {server}: {error}.", hint=hint) from error
    except httpx.TransportError as error:
        raise Unavailable(
            f"The connection to {server} broke: {str(error).rstrip('.') or type(error).__name__}."
        ) from error


def encoded(message: BaseModel) -> bytes:
    """Return a message's JSON with its secrets, which pydantic hides otherwise."""
    return json.dumps(message.model_dump(), default=_plain).encode()


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
