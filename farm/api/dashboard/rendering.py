"""Templates into pages, under a policy that lets nothing in from elsewhere, and no script but our files."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ByteSize

from farm import __version__
from farm.accounts.formula import points
from farm.accounts.identity import Identity
from farm.protocol.depends import spelled

HERE = Path(__file__).parent

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def page(request: Request, template: str, status: int = 200, **given: Any) -> HTMLResponse:
    """Return a page.

    Args:
        request: what asked for it.
        template: its file.
        status: of the answer.
        given: what the template shows.
    """
    who = request.scope.get("identity")
    services = request.app.state.services
    text = _templates().get_template(template).render(
        root=request.scope.get("root_path", ""),
        path=request.url.path,
        me=who if isinstance(who, Identity) else None,
        server=services.name,
        version=__version__,
        since=getattr(request.state, "place", ""),
        **given,
    )  # fmt: skip
    return HTMLResponse(text, status, HEADERS)


def here(request: Request) -> str:
    """Return this server's address, as its admin says it, or else as the browser knows it."""
    public: str = request.app.state.services.settings.public_url
    return (public or str(request.base_url)).rstrip("/")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"span": span, "size": size, "moment": iso, "count": count, "value": value}
    made.filters["measure"] = lambda amount, unit: {"span": span, "size": size}[unit](amount)
    made.filters |= {"dependency": spelled, "points": points}
    return made


def span(seconds: float | None) -> str:
    """Return a length of time in words: `3 min 20 s`; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    first = next((n for n, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount)


def size(amount: float | None) -> str:
    """Return bytes in words: `1.2 GB`; a dash for none."""
    if amount is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} TB"


def count(number: int, one: str, more: str = "") -> str:
    """Return a number with its noun: `1 frame`, `2 frames`."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def value(given: object) -> str:
    """Return a setting's value in words: bytes with their unit, yes and no; a dash for none."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, ByteSize):
        return size(given)
    if isinstance(given, list | tuple):
        return ", ".join(map(str, given)) or "–"
    return "–" if given in (None, "") else str(given)


def iso(at: datetime | None) -> str:
    """Return a time for a `<time>` element, which the browser's script shows as local time."""
    return "" if at is None else at.isoformat(timespec="seconds")
