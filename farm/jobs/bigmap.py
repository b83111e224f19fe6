"""All frames of a large job as one picture: a small square per frame, however many there are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from farm.database.schema import frames
from farm.jobs.access import Asker, seen
from farm.pictures.palette import Colour, png
from farm.words.errors import FrameNotFound
from farm.words.states import FrameState

_COLOURS: dict[FrameState, Colour] = {
    FrameState.DONE: (56, 155, 104, 255),
    FrameState.LEASED: (221, 132, 20, 255),
    FrameState.FAILED: (212, 54, 60, 255),
    FrameState.READY: (120, 135, 150, 110),
    FrameState.BLOCKED: (130, 122, 200, 200),
    FrameState.CANCELED: (120, 120, 120, 45),
}
"""As in the dashboard's style sheet, but between light and dark, or translucent: the picture lies on both grounds."""

_NUMBERS = {state: number for number, state in enumerate(_COLOURS, 1)}
_PALETTE = [(0, 0, 0, 0), *_COLOURS.values()]

_MINE = frames.c.job == bindparam("of")
_NTH = func.row_number().over(partition_by=frames.c.state, order_by=frames.c.number)
_MARKED = select(frames.c.state, frames.c.number, (frames.c.number - _NTH).label("run")).where(_MINE).subquery()
_RUNS = select(_MARKED.c.state, func.min(_MARKED.c.number), func.max(_MARKED.c.number)).group_by(
    _MARKED.c.state, _MARKED.c.run
)
"""Runs of neighbours in one state: their numbers and their places among those of the state rise together."""

_EDGES = [select(edge(frames.c.number)).where(_MINE) for edge in (func.min, func.max)]

COLUMNS = 500
"""Frames in a row."""

SCALE = 2
"""Pixels along a frame's square."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers of a job's first and last frame: what is where in its picture."""

    first: int
    last: int

    @property
    def width(self) -> int:
        """Pixels."""
        return COLUMNS * SCALE

    @property
    def height(self) -> int:
        """Pixels."""
        return -(-(self.last - self.first + 1) // COLUMNS) * SCALE

    def frame_at(self, x: int, y: int) -> int:
        """Return the number of the frame at a pixel, or of the nearest that there may be."""
        column, row = min(max(x // SCALE, 0), COLUMNS - 1), max(y // SCALE, 0)
        return min(self.first + row * COLUMNS + column, self.last)


def shape(conn: Connection, asker: Asker, job: int) -> Shape:
    """Return the shape of a job's picture.

    Raises:
        JobNotFound: it is none of the asker's business.
        FrameNotFound: it has no frames yet.
    """
    seen(conn, asker, job)
    # One by one: asked for both together, SQLite reads all frames.
    least, most = (
        conn.execute(select(edge(frames.c.number)).where(frames.c.job == job)) for edge in (func.min, func.max)
    )
    first, last = least.scalar(), most.scalar()
    if first is None or last is None:
        raise FrameNotFound(f"Job {job} has no frames yet.", job=job)
    return Shape(first, last)


def picture(conn: Connection, asker: Asker, job: int) -> bytes:
    """Return a job's picture, a PNG; raises like :func:`shape`."""
    of = shape(conn, asker, job)
    cells = bytearray(of.last - of.first + 1)
    for state, first, last in conn.execute(_RUNS, {"of": job}):
        cells[first - of.first : last - of.first + 1] = bytes([_NUMBERS[FrameState(state)]]) * (last - first + 1)
    return png(bytes(cells), COLUMNS, _PALETTE, SCALE)


def nearest(conn: Connection, asker: Asker, job: int, x: int, y: int) -> int:
    """Return the number of the frame at a pixel of a job's picture, or of the next that there is."""
    wanted = shape(conn, asker, job).frame_at(x, y)
    query = select(func.min(frames.c.number)).where(frames.c.job == job, frames.c.number >= wanted)
    return int(conn.execute(query).scalar_one())
