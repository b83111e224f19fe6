"""`/jobs/12/first`: an admin's word that a job comes first, or alone; and that it comes in its turn again."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from farm.api.dependencies import Admin, Farm
from farm.api.jobs.parts import Number
from farm.api.why.endpoints import put_back, put_first
from farm.protocol.why import Rush

router = APIRouter(prefix="/jobs/{job}/first")


class Word(StrEnum):
    """What an admin says."""

    FIRST = "first"
    ALONE = "alone"
    IN_TURN = "in_turn"


@router.post("")
async def say(job: Number, request: Request, admin: Admin, farm: Farm, verb: Annotated[Word, Form()]) -> Response:
    """Let a job come first, hold all others until it is done, or take that back; on record."""
    if verb is Word.IN_TURN:
        await put_back(job, farm, admin)
    else:
        await put_first(job, Rush(hold_others=verb is Word.ALONE), farm, admin)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/jobs/{job}", 303)
