"""A client for a server that a join code names: only that very one is talked to."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from farm.cli.connect import tidy
from farm.client.discovery import located
from farm.client.farmclient import FarmClient
from farm.client.http import context
from farm.words.errors import NotASetup, Unreachable

_SECONDS = 10.0


@contextmanager
def trusted_client(
    address: str, fingerprint: str, kept: Path, given: Path | None = None
) -> Iterator[tuple[FarmClient, Path | None]]:
    """Give a client, and the file with the certificate that the server is known by, if it is one of its own.

    Args:
        address: the server's.
        fingerprint: of its certificate, SHA-256 in hex; empty: it must be one that everybody trusts.
        kept: where it goes.
        given: a certificate that is trusted in any case, e.g. that of a studio's own authority.

    Raises:
        NotASetup: it is another server's certificate. Nothing was sent.
    """
    url = located(tidy(address))
    certificate = given
    if not given and fingerprint and url.startswith("https:") and not _trusted(url):
        found = _certificate(url)
        if hashlib.sha256(found).hexdigest() != fingerprint:
            raise NotASetup(
                f"{url} has another certificate than the join code knows: it may be another server.",
                hint="Nothing was sent. Ask the admin for a new code.",
            )
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(ssl.DER_cert_to_PEM_cert(found), encoding="ascii")
        certificate = kept
    with FarmClient(url, None, str(certificate) if certificate else True) as client:
        yield client, certificate


def _trusted(url: str) -> bool:
    """Tell whether a server's certificate is one that this machine trusts anyway."""
    try:
        _handshake(url, context(verify=True))
    except ssl.SSLError:
        return False
    return True


def _certificate(url: str) -> bytes:
    """Return a server's certificate, whatever it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return _handshake(url, context)


def _handshake(url: str, context: ssl.SSLContext) -> bytes:
    """Open and close a connection; return the certificate that the server showed.

    Raises:
        Unreachable: nobody answers.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            return wrapped.getpeercert(binary_form=True) or b""
    except ssl.SSLError:
        raise
    except OSError as error:
        raise Unreachable(f"No answer from {url}: {error.strerror or error}.", hint="Is the server running?") from error
