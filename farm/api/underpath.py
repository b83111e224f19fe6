"""A server behind a proxy, below a path of its host: `https://studio.example.org/farm`.

The path is that of `public_url`. Whether the proxy takes it away or leaves it on, and whether somebody comes past
the proxy, the rest of the server sees addresses without it, and puts it before those that it writes down.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import Scope


def path_of(public_url: str) -> str:
    """Return the path below which others reach a server; empty: it has its host for itself."""
    return urlsplit(public_url).path.rstrip("/")


def below(scope: Scope, path: str) -> Scope:
    """Return a request's scope with the address as the server's own routes know it; `root_path` is what was before it.

    Args:
        scope: as the web server made it.
        path: of :func:`path_of`.
    """
    if not path or scope["type"] != "http":
        return scope
    asked = scope["path"]
    inner = asked[len(path) :] or "/" if asked == path or asked.startswith(f"{path}/") else asked
    # As it was sent, percent signs and all: other servers sign it, and know nothing of where this one lies.
    sent = scope["raw_path"]
    raw = sent[len(path) :] or b"/" if sent == path.encode() or sent.startswith(f"{path}/".encode()) else sent
    return {**scope, "path": inner, "raw_path": raw, "root_path": path}
