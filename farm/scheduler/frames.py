"""A job's frames: inserting them, and changing the state of many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    and_,
    insert,
    literal,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from farm.database.schema import frames
from farm.scheduler import jobrow, tally
from farm.words.ranges import FrameRange
from farm.words.states import FRAME_MOVES, FrameState, move

PROBE = 0
"""Rank of the first, middle and last frame: problems show early."""

USUAL = 2
"""Rank of all others."""

AGAIN = 1
"""Added to the rank of a frame that failed before: it may be barred for some slaves."""

CHUNK = 10_000
"""Frames that one command should insert at most, so that others need not wait."""

_SMALL = 50
_SPANS = 100


def chunks(whole: FrameRange, size: int = CHUNK) -> Iterator[FrameRange]:
    """Cut a range into ranges of at most `size` frames, for a command each."""
    numbers = list(whole)
    for at in range(0, len(numbers), size):
        yield FrameRange.of(numbers[at : at + size])


def insert_frames(
    conn: Connection,
    job: int,
    pictures: FrameRange,
    at: int,
    *,
    shift: int = 0,
    name: str | None = None,
    state: FrameState = FrameState.READY,
) -> int:
    """Insert frames of a job, ready or blocked; those that it has already are left alone.

    A long span is one `INSERT … SELECT`, which is
    three times as fast as sending the rows. Probes get their rank when the job is queued.

    Args:
        conn: the writer's.
        job: the job's number.
        pictures: the renderer's numbers.
        at: now, µs.
        shift: what is added to these for the frames' own numbers.
        name: the parameter set that they are of; None: of none.
        state: whether they may be leased, or wait for others.

    Returns:
        How many are new.
    """
    del at
    new = 0
    short: list[int] = []
    for span in pictures.spans:
        if len(span) < _SMALL:
            short += span
        else:
            new += _insert_span(conn, job, span, shift, name, state)
    for start in range(0, len(short), 1000):
        new += _insert_rows(conn, job, short[start : start + 1000], shift, name, state)
    tally.moved(conn, job, None, state, new)
    jobrow.frames_came(conn, job)
    return new


def mark_probes(conn: Connection, job: int, whole: FrameRange, *, in_order: bool = False) -> None:
    """Let a job's first, middle and last frame be leased first; in order, only the first can be."""
    probes = whole.probes()[:1] if in_order else whole.probes()
    where = (frames.c.job == job, frames.c.number.in_(probes), frames.c.rank >= USUAL)
    conn.execute(update(frames).where(*where).values(rank=frames.c.rank - (USUAL - PROBE)))


def change_states(
    conn: Connection,
    job: int,
    old: Iterable[FrameState],
    new: FrameState,
    only: ColumnElement[bool] | None = None,
    **values: object,
) -> int:
    """Change frames from any of the old states to the new; return how many there were."""
    changed = 0
    for state in old:
        move(FRAME_MOVES, state, new)
        where = [frames.c.job == job, frames.c.state == state.value]
        if only is not None:
            where.append(only)
        count = conn.execute(update(frames).where(*where).values(state=new.value, **values)).rowcount
        tally.moved(conn, job, state, new, count)
        changed += count
    jobrow.frames_came(conn, job)
    return changed


def within(column: ColumnElement[int], numbers: FrameRange) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that together mean: the column is in the range."""
    for at in range(0, len(numbers.spans), _SPANS):
        yield or_(*(_in_span(column, span) for span in numbers.spans[at : at + _SPANS]))


def _in_span(column: ColumnElement[int], span: range) -> ColumnElement[bool]:
    inside = column.between(span[0], span[-1])
    return inside if span.step == 1 else and_(inside, (column - span[0]) % span.step == 0)


def _insert_span(conn: Connection, job: int, span: range, shift: int, name: str | None, state: FrameState) -> int:
    ten: CompoundSelect[Any] = union_all(*(select(literal_column(str(digit)).label("d")) for digit in range(10)))
    places = [ten.subquery(f"d{place}") for place in range(len(str(len(span) - 1)))]
    offset: ColumnElement[int] = literal_column("0")
    for place, digit in enumerate(places):
        offset = offset + digit.c.d * 10**place
    picture = literal(span[0]) + offset * span.step
    columns: dict[str, ColumnElement[Any]] = {
        "job": literal(job),
        "number": picture + shift,
        "picture": picture,
        "role": literal("picture"),
        "state": literal(state.value),
        "rank": literal(USUAL),
        "message": literal(""),
        "set": literal(name),
    }
    # Joined by what is always true: SQLAlchemy warns of a product that nobody asked for.
    product: FromClause = places[0]
    for other in places[1:]:
        product = product.join(other, other.c.d < places[0].c.d + 10)
    rows = select(*(value.label(name) for name, value in columns.items())).select_from(product)
    rows = rows.where(offset < len(span))
    statement = _ignoring(conn, insert(frames).from_select(list(columns), rows, include_defaults=False))
    return conn.execute(statement).rowcount


def _insert_rows(
    conn: Connection, job: int, pictures: list[int], shift: int, name: str | None, state: FrameState
) -> int:
    rows = [
        {
            "job": job,
            "number": picture + shift,
            "picture": picture,
            "role": "picture",
            "state": state.value,
            "rank": USUAL,
            "message": "",
            "set": name,
        }
        for picture in pictures
    ]
    have = select(frames.c.number).where(frames.c.job == job, frames.c.number.in_([row["number"] for row in rows]))
    known = set(conn.execute(have).scalars())
    rows = [row for row in rows if row["number"] not in known]
    if rows:
        conn.execute(insert(frames), rows)
    return len(rows)


def _ignoring(conn: Connection, statement: Insert) -> Insert:
    """Leave rows alone that are there already."""
    return statement.prefix_with("OR IGNORE" if conn.dialect.name == "sqlite" else "IGNORE")
