"""`/jobs/12/3/compare`: a frame beside another one, of any job, or beside its former version."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.engine import Connection

from farm.api.dashboard.rendering import page
from farm.api.dashboard.views import SUFFIX, layers
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import Number, asker
from farm.jobs.access import Asker, seen
from farm.jobs.framemap import neighbours
from farm.jobs.outputs import files_of
from farm.protocol.jobs import OutputFile

router = APIRouter(prefix="/jobs/{job}/{frame}/compare")

SHOWN = (".png", ".jpg", ".jpeg", ".webp", ".gif")
"""Files that every browser shows."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two pictures: its job and frame, the version of the job (None: as it is), the file that is shown."""

    job: int
    frame: int
    version: int | None
    file: OutputFile | None

    @property
    def light(self) -> bool:
        """It is an EXR, which is shown as the page's layer and exposure say."""
        return self.file is not None and self.file.name.lower().endswith(SUFFIX)

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"Frame {self.frame} of job {self.job}" + (f", version {self.version}" if self.version else "")

    def address(self, layer: str, exposure: float) -> str:
        """Return where the browser gets it, below the server's root; '' if there is nothing to show."""
        if self.file is None:
            return ""
        asked = {"version": self.version} if self.version else {}
        if self.light:
            more = {"file": self.file.name, "layer": layer, "exposure": exposure, **asked}
            return f"/jobs/{self.job}/{self.frame}/view?{urlencode(more)}"
        query = f"?{urlencode(asked)}" if asked else ""
        return f"/api/jobs/{self.job}/output/{self.frame}/{quote(self.file.name)}{query}"


@router.get("")
async def compare(
    job: Number,
    frame: Number,
    request: Request,
    user: User,
    farm: Farm,
    other: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    beside: Annotated[int | None, Query(ge=0, le=2**62, alias="job")] = None,
    version: Annotated[int | None, Query(ge=1, le=2**31)] = None,
    layer: Annotated[str, Query(max_length=300)] = "",
    exposure: Annotated[float, Query(ge=-20, le=20, allow_inf_nan=False)] = 0,
) -> Response:
    """Show both; without a wish, a frame's former version if there is one, else the frame before it."""
    wish = Wish(job, other, version)
    if beside is not None and beside != job:
        wish = Wish(beside, frame if other is None else other)
    ask = partial(sides, asker=asker(user, farm.settings), job=job, frame=frame, wish=wish)
    now, then, versions = await farm.database.read(ask)
    named = await layers(farm, now.file) if now.light else []
    pictures = [(side, side.address(layer or (named[0] if named else ""), exposure)) for side in (now, then)]
    look: dict[str, Any] = {"layers": named, "layer": layer, "exposure": exposure}
    return page(request, "compare.html", job=job, frame=frame, pictures=pictures, versions=versions, **look)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a frame is to be compared with.

    Args:
        job: the other one's job, which may be the same.
        frame: None: its own former version, or else its neighbour.
        version: of the job; None: as it is. Only the frame's own job is asked for one: the page knows which it has.
    """

    job: int
    frame: int | None = None
    version: int | None = None


def sides(conn: Connection, asker: Asker, job: int, frame: int, wish: Wish) -> tuple[Side, Side, int]:
    """Return what is compared, and how many versions the job has; of another job it is shown how that is now.

    Args:
        conn: a reader's.
        asker: who looks.
        job: the job's number.
        frame: the frame's number.
        wish: what it is compared with.

    Raises:
        JobNotFound: one of the jobs is none of the asker's business.
        FileNotHere: it has no such version.
    """
    versions = int(seen(conn, asker, job).version)
    if wish.job != job:
        seen(conn, asker, wish.job)
    other, version = wish.frame, wish.version
    if other is None and version is None:
        former = versions > 1
        other, version = (frame, versions - 1) if former else (_neighbour(conn, job, frame), None)
    then = frame if other is None else other
    return _side(conn, job, frame, None), _side(conn, wish.job, then, version), versions


def _neighbour(conn: Connection, job: int, frame: int) -> int:
    before, after = neighbours(conn, job, frame)
    return next((one for one in (before, after) if one is not None), frame)


def _side(conn: Connection, job: int, frame: int, version: int | None) -> Side:
    files = files_of(conn, job, frame, version)
    plain = (file for file in files if file.name.lower().endswith(SHOWN))
    light = (file for file in files if file.name.lower().endswith(SUFFIX))
    return Side(job, frame, version, next(plain, None) or next(light, None))
