"""The tables of what waits for what."""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, LONG_TEXT, text


class Dependency(SQLModel, table=True):
    """Frames of a job that wait for others: a row is a shape of many edges, and never changes but for `watch`.

    `each`: the first of `frames` waits for the first of `needs` (or the first few), the second for the next, and so
    on; else every one waits for all of `needs`. Both are frame ranges, `first` and `last` the ends of `frames`.
    `server`: another server's name; empty: this one. `watch` of an `each` is -1; else it is one of the `needs` that
    is not done, and only when that one is done somebody looks for another; NULL: all are done. `overlay`: the
    files of these are laid over the job's own.
    """

    __table_args__ = (PrimaryKeyConstraint("job", "place"), Index("dependency_watch", "on_job", "watch"))

    job: int = Field(sa_type=BIG, foreign_key="job.number")
    place: int
    frames: str = Field(sa_type=LONG_TEXT)
    first: int = Field(sa_type=BIG)
    last: int = Field(sa_type=BIG)
    server: str = Field(default="", sa_type=text(63))
    on_job: int = Field(sa_type=BIG)
    needs: str = Field(sa_type=LONG_TEXT)
    each: bool = False
    watch: int | None = Field(default=None, sa_type=BIG)
    overlay: bool = False


class Ripple(SQLModel, table=True):
    """What is still to be done to frames since something happened to others. `frames` is a frame range."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    job: int = Field(sa_type=BIG, foreign_key="job.number")
    verb: str = Field(sa_type=text(16))
    frames: str = Field(sa_type=LONG_TEXT)
    reason: str = Field(default="", sa_type=LONG_TEXT)
