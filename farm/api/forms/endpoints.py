"""`/api/jobs/povray`: a POV-Ray job as a form, for `curl -F`."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from farm.api.blobs.serving import body
from farm.api.dependencies import Farm, User
from farm.api.forms.intake import Intake
from farm.api.forms.multipart import events
from farm.api.forms.povray import drafted
from farm.api.jobs.parts import asker, methods, rules
from farm.jobs.checking import check
from farm.jobs.submission import queue, submit
from farm.protocol.jobs import Submission, Submitted
from farm.words.clock import now

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
                    },
                    "additionalProperties": {
                        "description": "Any other file belongs to the job, under its `filename`; texts are settings of "
                        "the method, or `name`, `priority`, `project`, `comment`, `slaves`, `not_slaves`, "
                        "`max_slaves`, `approval`, `render_limit`, `silence_limit`, `key`."
                    },
                }
            }
        },
    }
}


@router.post("/povray", response_model=Submitted, status_code=201, openapi_extra=_BODY)
async def submit_povray(request: Request, farm: Farm, user: User) -> Response:
    """Send a POV-Ray scene with all its files in one form, and have it rendered."""
    settings = farm.settings
    who = asker(user, settings)
    intake = Intake(farm.database, farm.store, user.id, int(settings.file_limit))
    form = await intake.take(events(body(request), request.headers.get("content-type", "")))
    submission, remarks = await asyncio.to_thread(drafted, form, farm.store)
    made = await submit(farm.database, who, submission, methods(), rules(settings), farm.name, now())
    report = await farm.database.read(
        partial(check, asker=who, submission=submission, methods=methods(), rules=rules(settings))
    )
    await farm.database.write(partial(queue, asker=who, job=made.job, at=now()))
    remarks += [*report.warnings, *report.unfit]
    told = _told(submission, made.job, made.address, remarks, str(request.base_url).rstrip("/"))
    return Response(
        told.model_dump_json(indent=2) + "\n",
        201,
        headers={"location": told.links["job"]},
        media_type="application/json",
    )


def _told(submission: Submission, job: int, address: str, remarks: list[str], base: str) -> Submitted:
    place = f"{base}/api/jobs/{job}"
    links = {"job": place, "progress": f"{place}/progress", "frames": f"{place}/frames", "output": f"{place}/output"}
    links["events"] = f"{base}/api/events?job={job}"
    return Submitted(
        job=job, address=address, name=submission.name, frames=submission.frames, warnings=remarks, links=links
    )
