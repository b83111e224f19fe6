"""`/api/addresses?address=distren://home/12/3`: where an address is found over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

from farm.api.dependencies import Farm, User
from farm.words.errors import NotFound
from farm.words.names import Address

router = APIRouter(tags=["jobs"])


@router.get("/api/addresses", summary="What an address stands for", response_class=RedirectResponse, status_code=307)
async def follow(
    farm: Farm,
    _user: User,
    address: Annotated[str, Query(max_length=200, description="`distren://home/12/3`, `12/3` or `12`.")],
) -> RedirectResponse:
    """Lead to the job or frame that an address names; those of other servers are not known here."""
    found = Address.parse(address, farm.name)
    if found.server != farm.name:
        raise NotFound(f"{found} is of the server {found.server}; this is {farm.name}.", hint="Ask that one.")
    job = "" if found.job is None else f"/{found.job}"
    frame = "" if found.frame is None else f"/frames/{found.frame}"
    return RedirectResponse(f"/api/jobs{job}{frame}")
