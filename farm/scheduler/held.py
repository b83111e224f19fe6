"""The attempts that a slave has, as the database knows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.engine import Connection, RowMapping

from farm.database.schema import attempts, frames, slaves
from farm.words.states import AttemptState, FrameState

_COLUMNS = (
    attempts.c.id,
    attempts.c.job,
    attempts.c.frame,
    attempts.c.slave,
    attempts.c.lease,
    attempts.c.state,
    attempts.c.deadline,
    attempts.c.started,
    attempts.c.progress,
    attempts.c.result,
    frames.c.state.label("frame_state"),
    frames.c.rank,
    frames.c.result_attempt,
    frames.c.lease.label("frame_lease"),
)
_ALL = select(*_COLUMNS).join(frames, and_(frames.c.job == attempts.c.job, frames.c.number == attempts.c.frame))
_OPEN = _ALL.where(attempts.c.slave == bindparam("of"), attempts.c.state == AttemptState.OPEN.value)
_WHO = (
    slaves.c.id.label("slave_id"),
    slaves.c.name,
    slaves.c.state.label("slave_state"),
    slaves.c.seq,
    slaves.c.slots,
    slaves.c.offers,
    slaves.c.owner,
    slaves.c.hardware,
)
_SLAVE_AND_OPEN = (
    select(*_WHO, *_COLUMNS)
    .select_from(slaves)
    .outerjoin(attempts, and_(attempts.c.slave == slaves.c.id, attempts.c.state == AttemptState.OPEN.value))
    .outerjoin(frames, and_(frames.c.job == attempts.c.job, frames.c.number == attempts.c.frame))
    .where(slaves.c.id == bindparam("of"))
)
_WHO_NAMES = tuple(column.name for column in _WHO)


@dataclass(slots=True)
class Held:
    """An attempt and its frame. `progress` in thousandths; times in µs."""

    id: int
    job: int
    frame: int
    slave: int
    lease: int
    state: AttemptState
    deadline: int
    started: int | None
    progress: int | None
    result: bytes | None
    frame_state: FrameState
    rank: int
    result_attempt: int | None
    frame_lease: int | None


def open_of(conn: Connection, slave: int) -> dict[int, Held]:
    """Return a slave's open attempts by id."""
    return {row["id"]: _held(row) for row in conn.execute(_OPEN, {"of": slave}).mappings()}


def slave_and_open(conn: Connection, slave: int) -> tuple[RowMapping | None, dict[int, Held]]:
    """Return a slave (None: there is none) and its open attempts, in one query."""
    rows = conn.execute(_SLAVE_AND_OPEN, {"of": slave}).mappings().all()
    found = {row["id"]: _held(row) for row in rows if row["id"] is not None}
    return (rows[0] if rows else None), found


def by_ids(conn: Connection, ids: Iterable[int]) -> dict[int, Held]:
    """Return attempts by id, whatever their state; those of deleted jobs are gone."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {row["id"]: _held(row) for row in conn.execute(_ALL.where(attempts.c.id.in_(wanted))).mappings()}


def _held(row: RowMapping) -> Held:
    values: dict[str, Any] = {name: value for name, value in row.items() if name not in _WHO_NAMES}
    values["state"] = AttemptState(values["state"])
    values["frame_state"] = FrameState(values["frame_state"])
    return Held(**values)
