"""The dashboard as an application of its own: its errors are pages."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from farm.api import problem
from farm.api.dashboard import (
    again,
    compare,
    elsewhere,
    farm,
    guides,
    job,
    jobparts,
    jobs,
    lend,
    logging_in,
    logs,
    me,
    mine,
    newslave,
    peerlend,
    points,
    rushes,
    servers,
    settings,
    shares,
    slaves,
    statistics,
    users,
    views,
)
from farm.api.dashboard.files import FILES
from farm.api.dashboard.rendering import page
from farm.api.dashboard.tologin import to_login
from farm.api.services import Services
from farm.api.shortage import shortage
from farm.words.errors import DistrenError, Malformed, NotFound, Unauthenticated

ROOMS = (
    *(farm, jobs, elsewhere, jobparts, points, rushes, again, compare, logs, job, newslave, slaves, lend),
    *(me, mine, statistics, peerlend, servers, settings, shares, users, views, logging_in, guides),
)
"""What pages are made by."""


def dashboard(services: Services, described: Callable[[], dict[str, Any]]) -> FastAPI:
    """Return the application; it answers whatever nobody else does.

    Args:
        services: the parts of the server.
        described: returns the API's description.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(_placed)])
    app.state.services, app.state.described = services, described
    for room in ROOMS:
        app.include_router(room.router)
    app.add_api_route("/static/{name}", _file)
    for kind in (DistrenError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _caught)
    return app


async def _placed(request: Request) -> None:
    """Note where the event log is before a page reads anything, so that its stream begins there: nothing is missed."""
    request.state.place = str(request.app.state.services.reader.place)


async def _file(name: str) -> Response:
    found = FILES.get(f"/static/{name}")
    if found is None:
        raise NotFound(f"There is no file {name[:100]}.")
    # Its address has the version in it, so it may be kept.
    headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    return FileResponse(found, headers=headers)


async def _caught(request: Request, error: Exception) -> Response:
    trouble = _named(request, error)
    if isinstance(trouble, Unauthenticated) and request.method == "GET":
        return to_login(request.scope)
    return page(request, "trouble.html", status=trouble.status, trouble=trouble, title=_title(trouble.status))


def _named(request: Request, error: Exception) -> DistrenError:
    if isinstance(error, DistrenError):
        return error
    if isinstance(error, RequestValidationError):
        return problem.malformed(error)
    if not isinstance(error, HTTPException):
        return shortage(error) or problem.unexpected(error, request.url.path)
    if error.status_code == NotFound.status:
        return NotFound(f"There is nothing at {request.url.path}.", hint="The menu leads to all there is.")
    return Malformed(f"{request.url.path} does not take {request.method}.")


def _title(status: int) -> str:
    return HTTPStatus(status).phrase
