"""The attempts that a slave has, as the database knows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.engine import Connection, RowMapping

from farm.database.schema import attempts, frames
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


def by_ids(conn: Connection, ids: Iterable[int]) -> dict[int, Held]:
    """Return attempts by id, whatever their state; those of deleted jobs are gone."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {row["id"]: _held(row) for row in conn.execute(_ALL.where(attempts.c.id.in_(wanted))).mappings()}


def _held(row: RowMapping) -> Held:
    values: dict[str, Any] = dict(row)
    values["state"] = AttemptState(values["state"])
    values["frame_state"] = FrameState(values["frame_state"])
    return Held(**values)
