"""`/jobs/12/3/view`: a layer of an EXR as a browser can show it."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Response

from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.api.services import Services
from farm.jobs.outputs import output_file
from farm.protocol.jobs import OutputFile
from farm.words.errors import FileNotHere

router = APIRouter()

SUFFIX = ".exr"

_HEADERS = {"cache-control": "private, max-age=300", "x-content-type-options": "nosniff"}


@router.get("/jobs/{job}/{frame}/view")
async def view(
    job: Number,
    frame: Number,
    user: User,
    farm: Farm,
    file: Annotated[str, Query(max_length=1000)],
    layer: Annotated[str, Query(max_length=300)] = "",
    exposure: Annotated[float, Query(ge=-20, le=20, allow_inf_nan=False)] = 0,
    version: Annotated[int | None, Query(ge=1, le=2**31)] = None,
) -> Response:
    """Show a layer, so many stops brighter; with a version, as the job was then."""
    who = asker(user, farm.settings)
    wanted = await farm.database.read(partial(output_file, asker=who, job=job, frame=frame, name=file, version=version))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "view.webp")
        facts = await farm.viewer.view(await _here(farm, wanted), layer, exposure, target)
        if not facts.ok:
            raise FileNotHere(facts.message, hint="Download it, and open it in an image viewer.", job=job, frame=frame)
        return Response(await asyncio.to_thread(target.read_bytes), media_type="image/webp", headers=_HEADERS)


async def layers(farm: Services, file: OutputFile | None) -> list[str]:
    """Return the names of an EXR's layers; none if there is no file, or none that can be read."""
    return [] if file is None else list((await farm.viewer.layers(await _here(farm, file))).layers)


async def _here(farm: Services, file: OutputFile) -> Path:
    if await asyncio.to_thread(farm.store.size, file.sha256) is None:
        raise FileNotHere(f"“{file.name}” is not here any more.")
    return await asyncio.to_thread(farm.store.local, file.sha256)
