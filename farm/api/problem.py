"""Errors on their way out: problem+json (RFC 9457), the same for all."""

from __future__ import annotations

import json
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from farm.api.shortage import shortage
from farm.words import faults
from farm.words.errors import (
    BrokenOff,
    DistrenError,
    Malformed,
    MethodNotAllowed,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    from_problem,
)

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


def headers(error: DistrenError) -> dict[str, str]:
    """Return the headers that belong to an error."""
    found = {"content-type": MEDIA_TYPE, "cache-control": "no-store"}
    if isinstance(error, Unauthenticated):
        found["www-authenticate"] = 'Bearer realm="distren"'
    if isinstance(error, (Unavailable, TooManyRequests)) or "retry_after" in error.facts:
        found["retry-after"] = str(error.facts.get("retry_after", 1))
    if isinstance(error, BrokenOff):
        # Else what still comes of the body would be read, and thrown away.
        found["connection"] = "close"
    return found


def body(error: DistrenError) -> bytes:
    """Return the body that describes an error."""
    return json.dumps(error.problem(), ensure_ascii=False, default=str).encode()


def answer(error: DistrenError) -> Response:
    """Return the answer that an error becomes."""
    return Response(body(error), error.status, headers(error))


def malformed(error: ValidationError | RequestValidationError) -> Malformed:
    """Say which members are wrong and why."""
    told = faults.of(error.errors())
    first = "; ".join(f"{f['member']}: {f['message']}" if f["member"] else f["message"] for f in told[:3])
    return Malformed(f"The request is malformed: {first}.", hint="The server's /docs show every request.", faults=told)


def caught(error: Exception, path: str) -> Response:
    """Return the answer to a request that broke on any error, and log what an admin should know.

    Args:
        error: whatever was raised.
        path: the request's.
    """
    if isinstance(error, ValidationError):
        error = malformed(error)
    if isinstance(error, OverflowError) and "too large to convert" in str(error):
        # Only SQLite's driver notices numbers beyond 64 bits: nothing here has such a number.
        error = Malformed("A number in the request is beyond 64 bits.", hint="Numbers of jobs and frames are small.")
    if refusal := shortage(error):
        log.warning("A request is refused.", reason=refusal.message, path=path)
        return answer(refusal)
    if not isinstance(error, DistrenError):
        return answer(unexpected(error, path))
    if error.status >= 500 and not isinstance(error, Unavailable):
        log.error("A request failed.", code=error.code, reason=error.message)
    return answer(error)


async def _caught(request: Request, error: Exception) -> Response:
    return caught(error, request.url.path)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(malformed(error))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, DistrenError):  # FastAPI wraps what a body's stream raises
        return answer(error.__cause__)
    if refusal := shortage(error.__cause__):
        return answer(refusal)
    if error.status_code == NotFound.status:
        return answer(
            NotFound(f"There is nothing at {request.url.path}.", hint="The server's /docs list all addresses.")
        )
    if error.status_code == MethodNotAllowed.status:
        refused = answer(MethodNotAllowed(f"{request.url.path} does not take {request.method}."))
        refused.headers.update(error.headers or {})
        return refused
    if 400 <= error.status_code < 500:
        return answer(Malformed(str(error.detail)))
    return answer(from_problem({"detail": str(error.detail)}, error.status_code))


def unexpected(error: Exception, path: str) -> DistrenError:
    """Hide what broke from strangers, and give a number by which an admin finds it in the log."""
    incident = uuid4().hex[:12]
    log.error("A request broke.", incident=incident, path=path, exc_info=error)
    hint = f"The server's log has more, under incident {incident}."
    return DistrenError("The server stumbled over this request.", hint=hint, incident=incident)


def install(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.add_exception_handler(DistrenError, _caught)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in (OverflowError, OSError, MemoryError, RuntimeError):
        app.add_exception_handler(kind, _caught)
    app.add_exception_handler(Exception, _caught)
