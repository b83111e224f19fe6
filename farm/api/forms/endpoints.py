"""Whole jobs in one request: a POV-Ray form for `curl -F`, and packages."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from farm.api.blobs.serving import body
from farm.api.dependencies import Farm, User
from farm.api.forms.intake import Intake
from farm.api.forms.multipart import events
from farm.api.forms.povray import drafted
from farm.api.forms.whole import submit_whole
from farm.jobs.packages import described
from farm.protocol.jobs import Submitted

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

_FILE = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "scene": {
                            **_FILE,
                            "description": "The `.pov`, or an `.ini` that names one; or its path as a text.",
                        },
                        "package": {**_FILE, "description": "A tarball of files: `.tar`, `.tar.gz` or `.tar.zst`."},
                        "frames": {"type": "string", "examples": ["1-120"]},
                        "params": {**_FILE, "description": "A parameter file, TOML or JSON; or its text."},
                    },
                    "additionalProperties": {
                        "description": "Any other file belongs to the job, under its `filename`; texts are settings of "
                        "the method, or `name`, `priority`, `project`, `comment`, `slaves`, `not_slaves`, "
                        "`max_slaves`, `approval`, `paused`, `render_limit`, `silence_limit`, `key`."
                    },
                }
            }
        },
    }
}


@router.post("/povray", response_model=Submitted, status_code=201, openapi_extra=_BODY)
async def submit_povray(request: Request, farm: Farm, user: User) -> Response:
    """Send a POV-Ray scene with all its files in one form, and have it rendered."""
    form = await Intake(farm, user).take(events(body(request), request.headers.get("content-type", "")))
    submission, remarks = await asyncio.to_thread(drafted, form, farm.store)
    return await submit_whole(request, farm, user, submission, remarks)


@router.post(
    "/package",
    response_model=Submitted,
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def submit_package(request: Request, farm: Farm, user: User) -> Response:
    """Send a job as one tarball with `distrenjob.xml` at its top: `.tar`, `.tar.gz` or `.tar.zst`."""
    files = await Intake(farm, user).tarball(body(request))
    submission = await asyncio.to_thread(described, files, farm.store)
    return await submit_whole(request, farm, user, submission, [])
