"""The tables. Times are integer µs UTC, sizes bytes, JSON is text that its room reads.

No row that several processes write is touched once per frame: a job's counts are
shards per writer (:class:`Tally`), a slave's pace is the slave's own row.
"""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, HASH, LONG_TEXT, REAL, row_id, text
from farm.words.steps import LONGEST


class Meta(SQLModel, table=True):
    """Facts about this server, such as its name."""

    key: str = Field(primary_key=True, sa_type=text(64))
    value: str = Field(sa_type=LONG_TEXT)


class Sequence(SQLModel, table=True):
    """Numbers that are never used again: `next` is raised in the transaction that uses it.

    Rows: `job`, `attempt`, `lease`, `writer`, `posting`, `book` and others.
    """

    name: str = Field(primary_key=True, sa_type=text(32))
    next: int = Field(sa_type=BIG)


class Slave(SQLModel, table=True):
    """A render machine's agent. `offers` and `hardware` are JSON of the protocol's models.

    `powers`: JSON, what a CPU-second of it is worth by render method, in thousandths of the reference machine's.
    `paid`, `carded`: up to when its processors' and its graphics cards' time is accounted for by points, µs.
    `changed`: since when its machine and renderers are what they are, as it says, µs.
    `good`, `bad`: its accepted results and its own failures, fading, as of `judged`, µs.
    `tags`: words that an admin gave it, beside those of its offers; `pool`: the pool that it is in; empty: none.
    `upgrade`: the version that it is to run, JSON of the protocol's; empty: the one that it runs. Meanwhile
    `upgrade_said` is the stage, afterwards why it failed; `upgrade_by` is the user who ordered it.
    `errand`: what it is to do now, JSON of the protocol's order; empty: nothing.
    `benchmark`: it lets itself be measured when it idles.
    `terms`: what its owner lends of it, JSON of the protocol's; empty: all. `accept`: slave.conf's.
    """

    id: int | None = row_id()
    name: str = Field(sa_type=text(32), unique=True)
    owner: int = Field(sa_type=BIG, foreign_key="user.id", index=True)
    key: str = Field(sa_type=text(64), unique=True)
    password: bytes = Field(sa_type=HASH)
    state: str = Field(sa_type=text(16), index=True)
    version: str = Field(default="", sa_type=text(200))
    slots: int = 0
    hardware: str = Field(default="", sa_type=LONG_TEXT)
    offers: str = Field(default="[]", sa_type=LONG_TEXT)
    seq: int = Field(default=-1, sa_type=BIG)
    seen: int | None = Field(default=None, sa_type=BIG)
    done: int = Field(default=0, sa_type=BIG)
    message: str = Field(default="", sa_type=LONG_TEXT)
    created: int = Field(sa_type=BIG)
    powers: str = Field(default="", sa_type=text(1000))
    paid: int = Field(default=0, sa_type=BIG)
    carded: int = Field(default=0, sa_type=BIG)
    changed: int = Field(default=0, sa_type=BIG)
    tags: str = Field(default="", sa_type=text(1000))
    pool: str = Field(default="", sa_type=text(32))
    build: str = Field(default="", sa_type=text(200))
    upgrade: str = Field(default="", sa_type=text(1000))
    upgrade_by: int | None = Field(default=None, sa_type=BIG)
    upgrade_said: str = Field(default="", sa_type=text(2000))
    good: float = Field(default=0.0, sa_type=REAL)
    bad: float = Field(default=0.0, sa_type=REAL)
    judged: int = Field(default=0, sa_type=BIG)
    errand: str = Field(default="", sa_type=text(200))
    terms: str = Field(default="", sa_type=text(2000))
    accept: str = Field(default="all", sa_type=text(16))
    benchmark: bool = False


class Job(SQLModel, table=True):
    """A job. Its row outlives it as a tombstone, so that its number is never used again.

    `requires`, `settings`, `limits`, `slaves`, `not_slaves` are JSON; `frames` is a frame range.
    `pinned` is the renderer's version that all its frames are rendered with, from the first lease on.
    `unfinished`: what is left to do to its frames, JSON of the scheduler's. `depends`: what its frames wait for,
    JSON as it was submitted; :class:`farm.database.waittables.Dependency` has it resolved.
    `sets`: its parameter sets, JSON; `frames` are numbers, which are the renderer's where there are none.
    `version`: how often it got its files, by updates; `updates`: the job that these files are for, which gets them when
    all are here. `key` makes repeated submissions one job. `boost`: how much sooner it is rendered for points.
    `rush`: an admin's word; 1: before all others, 2: these wait until it is done; -1, the farm's: after all others.
    `let_go`: when its files went, long after its end. `book`: the one that the ledger's rows of a deleted job go into.
    """

    __table_args__ = (
        Index("job_active", "state", "priority", "number"),
        UniqueConstraint("owner", "key", name="job_key"),
    )

    number: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    owner: int = Field(sa_type=BIG, foreign_key="user.id", index=True)
    key: str | None = Field(default=None, sa_type=text(200))
    name: str = Field(sa_type=text(200))
    project: str = Field(default="", sa_type=text(200))
    comment: str = Field(default="", sa_type=LONG_TEXT)
    state: str = Field(sa_type=text(16))
    pause_reason: str | None = Field(default=None, sa_type=text(16))
    message: str = Field(default="", sa_type=LONG_TEXT)
    revision: int = 1
    requires: str = Field(sa_type=LONG_TEXT)
    pinned: str = Field(default="", sa_type=text(32))
    settings: str = Field(sa_type=LONG_TEXT)
    limits: str = Field(sa_type=LONG_TEXT)
    source: str = Field(sa_type=text(1000))
    frames: str = Field(sa_type=LONG_TEXT)
    priority: int
    slaves: str = Field(default="[]", sa_type=LONG_TEXT)
    not_slaves: str = Field(default="[]", sa_type=LONG_TEXT)
    max_slaves: int | None = None
    in_order: bool = False
    approval: bool = False
    approved: bool = False
    starts_paused: bool = False
    bytes: int = Field(default=0, sa_type=BIG)
    created: int = Field(sa_type=BIG)
    changed: int = Field(sa_type=BIG)
    queued: int | None = Field(default=None, sa_type=BIG)
    started: int | None = Field(default=None, sa_type=BIG)
    ended: int | None = Field(default=None, sa_type=BIG)
    unfinished: str | None = Field(default=None, sa_type=LONG_TEXT)
    version: int = 1
    updates: int | None = Field(default=None, sa_type=BIG)
    sets: str | None = Field(default=None, sa_type=LONG_TEXT)
    depends: str | None = Field(default=None, sa_type=LONG_TEXT)
    boost: int = 0
    rush: int = 0
    let_go: int | None = Field(default=None, sa_type=BIG)
    book: int | None = Field(default=None, sa_type=BIG, index=True)


class JobVersion(SQLModel, table=True):
    """A version of a job's files after the first, and which frames were asked for: attempts since `at` are of it."""

    __table_args__ = (PrimaryKeyConstraint("job", "version"),)

    job: int = Field(sa_type=BIG, foreign_key="job.number")
    version: int
    at: int = Field(sa_type=BIG)
    frames: str = Field(sa_type=LONG_TEXT)


class Tally(SQLModel, table=True):
    """A writer's share of a job's counts; a job's count is the sum over its writers.

    `seconds` (µs of rendering) and `rendered` (frames measured) give the mean; `work`: see :class:`Share`.
    """

    __table_args__ = (PrimaryKeyConstraint("job", "writer"),)

    job: int = Field(sa_type=BIG, foreign_key="job.number")
    writer: int = Field(sa_type=BIG)
    blocked: int = 0
    ready: int = 0
    leased: int = 0
    done: int = 0
    failed: int = 0
    canceled: int = 0
    rendered: int = 0
    seconds: int = Field(default=0, sa_type=BIG)
    work: int = Field(default=0, sa_type=BIG)


class Share(SQLModel, table=True):
    """A writer's share of the work that was done for a job in an era of six hours.

    Work is µs of CPU time, or of time where that is longer, as it would count at the era's begin: it halves
    every hour. `of_user` counts for the owner, `of_job` for the job. `served`: when it last got a lease.
    """

    __table_args__ = (PrimaryKeyConstraint("job", "era", "writer"), Index("share_era", "era"))

    job: int = Field(sa_type=BIG, foreign_key="job.number")
    era: int = Field(sa_type=BIG)
    writer: int = Field(sa_type=BIG)
    of_user: float = Field(default=0.0, sa_type=REAL)
    of_job: float = Field(default=0.0, sa_type=REAL)
    served: int = Field(default=0, sa_type=BIG)


class Frame(SQLModel, table=True):
    """A frame. `rank` orders a job's frames (probes 0, others 1), then the number does.

    `result_attempt` is the fence: the first good result sets it, nothing sets it again. `picture` is the
    renderer's number; `set` names the parameter set that it is rendered with; `tile` says which part of the picture
    it is, as its method writes it (NULL: the whole).
    """

    __table_args__ = (
        PrimaryKeyConstraint("job", "number"),
        Index("frame_next", "job", "state", "rank", "number"),
    )

    job: int = Field(sa_type=BIG, foreign_key="job.number")
    number: int = Field(sa_type=BIG)
    picture: int = Field(sa_type=BIG)
    role: str = Field(default="picture", sa_type=text(16))
    tile: str | None = Field(default=None, sa_type=text(32))
    state: str = Field(sa_type=text(16))
    rank: int
    lease: int | None = Field(default=None, sa_type=BIG)
    result_attempt: int | None = Field(default=None, sa_type=BIG)
    seconds: int | None = Field(default=None, sa_type=BIG)
    message: str = Field(default="", sa_type=LONG_TEXT)
    set: str | None = Field(default=None, sa_type=text(40))


class Attempt(SQLModel, table=True):
    """One try at one frame by one slave. `seconds`, `cpu`, `load` in µs; `result` is the tar's hash.

    `short`: the slave's memory in bytes, if that was too little. `trace`: when its steps were on the slave, as
    told; `fetched`: when somebody first had fetched a file of it, µs. `seq`: the number of the slave's report in whose
    answer it was issued. `chosen`: why it was this frame's turn, JSON of the scheduler's. `device`: by which way it was
    rendered on a graphics card; empty: on the processor.
    """

    __table_args__ = (
        Index("attempt_frame", "job", "frame"),
        Index("attempt_open", "slave", "state"),
        Index("attempt_late", "state", "deadline"),
    )

    id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    job: int = Field(sa_type=BIG, foreign_key="job.number")
    frame: int = Field(sa_type=BIG)
    slave: int = Field(sa_type=BIG, foreign_key="slave.id")
    lease: int = Field(sa_type=BIG)
    seq: int | None = Field(default=None, sa_type=BIG)
    state: str = Field(sa_type=text(16))
    issued: int = Field(sa_type=BIG)
    deadline: int = Field(sa_type=BIG)
    started: int | None = Field(default=None, sa_type=BIG)
    ended: int | None = Field(default=None, sa_type=BIG)
    progress: int | None = None
    seconds: int | None = Field(default=None, sa_type=BIG)
    cpu: int | None = Field(default=None, sa_type=BIG)
    load: int | None = Field(default=None, sa_type=BIG)
    memory: int | None = Field(default=None, sa_type=BIG)
    short: int | None = Field(default=None, sa_type=BIG)
    failure_class: str | None = Field(default=None, sa_type=text(16))
    message: str = Field(default="", sa_type=LONG_TEXT)
    log: str = Field(default="", sa_type=LONG_TEXT)
    result: bytes | None = Field(default=None, sa_type=HASH)
    pixels: bytes | None = Field(default=None, sa_type=HASH)
    uniform: bool = False
    trace: str | None = Field(default=None, sa_type=text(LONGEST))
    fetched: int | None = Field(default=None, sa_type=BIG)
    chosen: str = Field(default="", sa_type=text(200))
    device: str = Field(default="", sa_type=text(8))


class Pace(SQLModel, table=True):
    """What a slave has shown in a job: frames done, µs of rendering, failures of its own fault."""

    __table_args__ = (PrimaryKeyConstraint("slave", "job"),)

    slave: int = Field(sa_type=BIG, foreign_key="slave.id")
    job: int = Field(sa_type=BIG, foreign_key="job.number", index=True)
    done: int = 0
    seconds: int = Field(default=0, sa_type=BIG)
    failures: int = 0


class Blob(SQLModel, table=True):
    """Bytes that are here, whole, under their hash. `checked`: when a collection last saw it unused."""

    hash: bytes = Field(primary_key=True, sa_type=HASH)
    size: int = Field(sa_type=BIG)
    created: int = Field(sa_type=BIG)
    unused: int | None = Field(default=None, sa_type=BIG, index=True)


class Possession(SQLModel, table=True):
    """A user has sent these bytes: nobody gets a blob by knowing its hash."""

    __table_args__ = (PrimaryKeyConstraint("user", "hash"),)

    user: int = Field(sa_type=BIG, foreign_key="user.id")
    hash: bytes = Field(sa_type=HASH, foreign_key="blob.hash", index=True)


class JobFile(SQLModel, table=True):
    """One line of a job's manifest; it pins its blob. `place` counts from 0 in manifest order."""

    __table_args__ = (PrimaryKeyConstraint("job", "place"),)

    job: int = Field(sa_type=BIG, foreign_key="job.number")
    place: int
    path: str = Field(sa_type=text(1000))
    hash: bytes = Field(sa_type=HASH, index=True)
    size: int = Field(sa_type=BIG)
    frames: str | None = Field(default=None, sa_type=LONG_TEXT)


class ResultFile(SQLModel, table=True):
    """One file of a staged or accepted result. `role`: output, thumbnail, log. `fetched`: when first, wholly, µs."""

    __table_args__ = (PrimaryKeyConstraint("attempt", "role", "name"), Index("result_job", "job", "frame"))

    attempt: int = Field(sa_type=BIG)
    role: str = Field(sa_type=text(16))
    name: str = Field(sa_type=text(500))
    job: int = Field(sa_type=BIG)
    frame: int = Field(sa_type=BIG)
    hash: bytes = Field(sa_type=HASH, index=True)
    size: int = Field(sa_type=BIG)
    accepted: bool = False
    fetched: int | None = Field(default=None, sa_type=BIG)


class Event(SQLModel, table=True):
    """The event log: gap-free per writer. A reader keeps one seq per writer."""

    __table_args__ = (PrimaryKeyConstraint("writer", "seq"),)

    writer: int = Field(sa_type=BIG)
    seq: int = Field(sa_type=BIG)
    at: int = Field(sa_type=BIG, index=True)
    kind: str = Field(sa_type=text(16))
    job: int | None = Field(default=None, sa_type=BIG)
    slave: str | None = Field(default=None, sa_type=text(32))
    data: str = Field(sa_type=LONG_TEXT)


class Pulse(SQLModel, table=True):
    """How many frames the farm has ever finished, at a minute since 1970: a row a minute, for charts."""

    minute: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    rendered: int = Field(sa_type=BIG)
