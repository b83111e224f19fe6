"""A browser without a login is led to it, and back."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.types import Scope


def wants_page(scope: Scope) -> bool:
    """Tell whether a browser asks for a page, so that a person can answer."""
    if scope["method"] != "GET" or scope["path"].startswith("/api/"):
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def to_login(scope: Scope) -> Response:
    """Ask who it is, and come back."""
    query = scope["query_string"].decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    root = scope.get("root_path", "")
    return RedirectResponse(f"{root}/login?next={quote(wanted, safe='')}", 303, {"cache-control": "no-store"})
