"""All frames of a job at a glance: so many cells, whatever their number."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select, tuple_

from farm.database.schema import attempts, frames, result_files
from farm.jobs.access import Asker, seen
from farm.package.results import THUMBNAIL
from farm.words.ranges import FrameRange
from farm.words.states import FrameState

CELLS = 2000
"""The most cells of a map: what a browser draws, and a person can tell apart, without effort."""

_WORST = (FrameState.FAILED, FrameState.LEASED, FrameState.READY, FrameState.BLOCKED, FrameState.CANCELED)


@dataclass(slots=True)
class Cell:
    """Frames with neighbouring numbers, `first` to `last`, and how many of them are in each state."""

    first: int
    last: int
    counts: dict[FrameState, int] = field(default_factory=dict)

    @property
    def state(self) -> FrameState:
        """What matters most of what is in it: a failure, then what is being rendered, then what waits."""
        return next((state for state in _WORST if self.counts.get(state)), FrameState.DONE)

    @property
    def words(self) -> str:
        """What it shows, in words."""
        if self.first == self.last:
            return f"{self.first}: {self.state}"
        counted = ", ".join(f"{number} {state}" for state, number in self.counts.items())
        return f"{self.first}–{self.last}: {counted}"


def frame_map(conn: Connection, asker: Asker, job: int) -> list[Cell]:
    """Return a job's frames in cells, ascending; up to :data:`CELLS` frames have one each.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    number, state, of_job = frames.c.number, frames.c.state, frames.c.job == job
    query = select(state, func.count()).where(of_job).group_by(state)
    counted: dict[str, int] = {row[0]: row[1] for row in conn.execute(query)}
    if not counted:
        return []
    least, most = (int(conn.execute(select(edge(number)).where(of_job)).scalar_one()) for edge in (func.min, func.max))
    width = -(-(most - least + 1) // CELLS)
    gapless = sum(counted.values()) == most - least + 1
    common = max(counted, key=lambda name: counted[name]) if gapless else None
    found = _filled(FrameState(common), least, most, width) if common else {}
    cell = (number - least) // width
    query = select(cell.label("cell"), state, func.count(), func.min(number), func.max(number)).where(of_job)
    # Named, for the index is by state: of the commonest one no frame is read.
    rare = query.where(state.in_([name for name in counted if name != common])).group_by(cell, state)
    for place, name, many, first, last in conn.execute(rare):
        known = found.setdefault(int(place), Cell(first, last))
        known.first, known.last = min(known.first, first), max(known.last, last)
        _count(known, FrameState(name), many, FrameState(common) if common else None)
    return [found[place] for place in sorted(found)]


def _filled(state: FrameState, least: int, most: int, width: int) -> dict[int, Cell]:
    """Return cells without a gap, all of the commonest state, so that only other frames are grouped."""
    cells = enumerate(range(least, most + 1, width))
    return {place: Cell(n, min(n + width - 1, most), {state: min(width, most + 1 - n)}) for place, n in cells}


def _count(cell: Cell, state: FrameState, many: int, common: FrameState | None) -> None:
    cell.counts[state] = many
    if common is None:
        return
    cell.counts[common] -= many
    if not cell.counts[common]:
        del cell.counts[common]


def pictured(conn: Connection, wanted: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those frames, as pairs of job and number, that have a thumbnail: videos have none."""
    file = result_files.c
    pairs = list(wanted)
    query = select(file.job, file.frame).where(
        tuple_(file.job, file.frame).in_(pairs), file.role == THUMBNAIL, file.accepted.is_(True)
    )
    return {(row[0], row[1]) for row in conn.execute(query)} if pairs else set()


def all_pictured(conn: Connection, asker: Asker, job: int) -> FrameRange:
    """Return all frames of a job that have a thumbnail.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    file = result_files.c
    query = select(file.frame).where(file.job == job, file.role == THUMBNAIL, file.accepted.is_(True))
    return FrameRange.of(conn.execute(query).scalars())


def last_pictures(conn: Connection, jobs: list[int]) -> dict[int, int]:
    """Return the last finished frame of each job, if that has a thumbnail."""
    done = (frames.c.job.in_(jobs), frames.c.state == FrameState.DONE.value)
    query = select(frames.c.job, func.max(frames.c.number)).where(*done).group_by(frames.c.job)
    last = [(row[0], row[1]) for row in conn.execute(query)] if jobs else []
    return dict(pictured(conn, last))


def memories(conn: Connection, job: int, numbers: Collection[int]) -> dict[int, int]:
    """Return the bytes of memory that the results of frames took at most, where that was measured."""
    here = (frames.c.job == job, frames.c.number.in_(numbers), attempts.c.memory > 0)
    query = select(frames.c.number, attempts.c.memory).join(attempts, attempts.c.id == frames.c.result_attempt)
    return {row[0]: row[1] for row in conn.execute(query.where(*here))} if numbers else {}


def neighbours(conn: Connection, job: int, frame: int) -> tuple[int | None, int | None]:
    """Return the numbers of the frames before and after one in its job; None where there is none."""
    number, of_job = frames.c.number, frames.c.job == job
    before = conn.execute(select(func.max(number)).where(of_job, number < frame)).scalar()
    return before, conn.execute(select(func.min(number)).where(of_job, number > frame)).scalar()
