"""Jobs and frames, from submission to pictures."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from farm.protocol.base import Answer, Label, PersonName, RelativePath, Request, Sha256, Tag
from farm.protocol.depends import Dependency, RangeText
from farm.words.states import AttemptState, FailureClass, FrameOrder, FrameState, JobState, PauseReason

Priority = Annotated[int, Field(ge=0, le=100, description="Higher is sooner; 50 is usual.")]


Version = Annotated[
    str,
    Field(
        pattern=r"^(\d+(\.\d+){1,2})?$",
        description="`major.minor` that the source needs, or one version of it, `major.minor.patch`; empty: any.",
    ),
]


AddOn = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,99}(=[0-9A-Za-z.+-]{1,40})?$", examples=["studio_rig", "studio_rig=2.1.0"]
    ),
]


Device = Literal["", "cpu", "gpu", "any", "optix", "cuda", "hip", "metal", "oneapi"]


PoolName = Tag | Literal[""]


class FileEntry(Request):
    """One file of a job: the artist's own name and place in the tree.

    `frames` None means that every frame needs it; else a frame range (sequences, caches).
    """

    path: RelativePath
    sha256: Sha256
    size: int = Field(ge=0)
    frames: RangeText | None = None


SetName = Annotated[
    str,
    Field(
        pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,39})?$",
        description="Letters, digits, `-` and `_`; it becomes a folder among the pictures.",
    ),
]


class ParameterSet(Request):
    """Settings that count more than the job's own, for some of its pictures.

    With a name: all of the job's pictures (or just `frames`) are rendered with it once, into a folder of
    that name. Without one: it changes the pictures in `frames`, in whichever set.
    """

    name: SetName = ""
    frames: RangeText | None = Field(None, description="The renderer's frames; None: all that the job asks for.")
    settings: dict[str, Any]


class Limits(Request):
    """When a frame counts as hung. None: the server's default."""

    render_seconds: float | None = Field(None, gt=0, le=30 * 86400, description="Wall seconds for one frame.")
    silence_seconds: float | None = Field(None, gt=0, le=86400, description="Seconds without any progress.")


class Requirement(Request):
    """What a slave must have to render a job: matched by the scheduler against its offers."""

    method: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    version: Version = ""
    newer: bool = Field(False, description="A newer version will do too.")
    engine: Label = Field("", description="Render engine id, e.g. CYCLES; empty: any.")
    addons: list[AddOn] = Field([], max_length=50, description="Add-ons to enable, by name, or `name=version`.")
    device: Device = Field(
        "",
        description="What all frames are rendered on: `cpu`, `gpu`, one way to graphics cards (`optix`, `cuda`, `hip`, "
        "`metal`, `oneapi`), `any` (some here, some there: their noise differs); empty: the processor for Cycles, and "
        "whatever there is for other engines.",
    )
    tags: list[Tag] = Field([], max_length=20, description="Words that a slave must have, all of them.")
    pool: PoolName = Field("", description="The pool whose slaves alone may render it; empty: all that may.")


class Submission(Request):
    """A job: what to render, how, and of which files.

    `source` is the path of the file that the method opens (one of `files`).
    `key` makes a repeated submission the same job: at most one job per user and key. With `updates`, a job of the
    sender's that has ended gets these files and settings as its next version when all have arrived, and renders
    `frames` of it anew; pictures of former versions are kept.
    """

    name: Label
    requires: Requirement
    settings: dict[str, Any] = {}
    sets: list[ParameterSet] = Field([], max_length=1000)
    source: RelativePath | Annotated[str, Field(max_length=0)] = ""
    frames: RangeText
    files: list[FileEntry] = Field(default=[], max_length=1_000_000)
    priority: Priority = 50
    project: Label = ""
    comment: Annotated[str, Field(max_length=2000)] = ""
    max_slaves: int | None = Field(None, ge=1, le=1_000_000)
    slaves: list[PersonName] = Field([], description="Only these slaves; empty: any.")
    not_slaves: list[PersonName] = []
    approval: bool = Field(False, description="Pause after the probes until approved.")
    paused: bool = Field(False, description="Render nothing until it is resumed.")
    limits: Limits = Limits()
    order: FrameOrder = Field(FrameOrder.ANY, description="in_order: one slave simulates and renders from the start.")
    updates: int | None = Field(None, ge=1, le=2**62, description="The job that these files are for; none: a new one.")
    depends: list[Dependency] = Field(
        [], max_length=20_000, description="Frames that wait for others, and find their files in their job's folder."
    )
    key: Label = ""


class Receiving(Answer):
    """A job that waits for its files."""

    job: int
    address: str
    missing: list[str]


class Submitted(Answer):
    """A job that was sent as a whole and is queued.

    `warnings` are for people; `links` name what there is of it: `job`, `progress` (lines of
    text), `events` (SSE), `frames`, `output`, `bundle` (all pictures as one tar), `package`.
    """

    job: int
    address: str
    name: str
    frames: str
    warnings: list[str]
    links: dict[str, str]


class CheckReport(Answer):
    """What would become of a submission: `problems` stop it, `warnings` don't.

    `unfit` are those of the problems that another slave would solve: who wants to wait
    for one may submit all the same.
    """

    problems: list[str]
    unfit: list[str] = []
    warnings: list[str]
    fitting_slaves: list[str]
    missing_bytes: int
    frames: int


class JobChange(Request):
    """Changes to a job; None leaves as it is.

    `add_slaves` and `remove_slaves` edit the list of admitted slaves: removing puts one
    on the list of those that are kept away. `version` is the renderer's that it needs from now
    on; it can be changed as long as no frame is rendered, for all frames are rendered with one.
    So can `device`, but to `any` it can be changed at any time.
    """

    name: Label | None = None
    version: Version | None = None
    newer: bool | None = Field(None, description="A newer version will do too.")
    device: Device | None = Field(None, description="What all frames are rendered on; any: some here, some there.")
    priority: Priority | None = None
    add_frames: RangeText | None = None
    tags: list[Tag] | None = Field(None, max_length=20, description="Words that its slaves must have from now on.")
    pool: PoolName | None = Field(None, description="The pool whose slaves alone may render it; empty: all that may.")
    add_slaves: list[PersonName] = []
    remove_slaves: list[PersonName] = []
    max_slaves: int | None = Field(None, ge=0, le=1_000_000, description="0 lifts the limit.")
    render_seconds: float | None = Field(None, ge=0, le=30 * 86400, description="0: as the server says.")
    silence_seconds: float | None = Field(None, ge=0, le=86400, description="0: as the server says.")
    project: Label | None = None
    comment: Annotated[str, Field(max_length=2000)] | None = None
    confirmed: bool = Field(False, description="The job is another user's, and the person said yes.")


class JobCommand(Request):
    """Pause, resume, approve, cancel, retry or delete; `frames` narrows a retry."""

    frames: RangeText | None = None
    dependents: Literal["fail", "cancel", "wait"] = Field(
        "fail",
        description="Of a cancel, and for frames of other jobs that wait for this one's: they fail, their jobs are "
        "canceled, too, or they go on waiting until somebody retries this one.",
    )
    confirmed: bool = Field(False, description="The job is another user's, and the person said yes.")


class Counts(Answer):
    """How many frames of a job are in each state."""

    blocked: int = 0
    ready: int = 0
    leased: int = 0
    done: int = 0
    failed: int = 0
    canceled: int = 0

    @property
    def total(self) -> int:
        """All frames."""
        return self.blocked + self.ready + self.leased + self.done + self.failed + self.canceled


class SetView(Answer):
    """A parameter set of a job; `frames` are the numbers of its frames, or without a name pictures that it changes."""

    name: str
    frames: str
    settings: dict[str, Any]


class JobView(Answer):
    """A job, as people see it.

    `waiting` says why its ready frames wait, in words. `pinned` is the version of the renderer
    that all its frames are rendered with; empty before the first of them is leased. `version`: how often it got its
    files. `updates`: the job that these files are for, once all are here.
    """

    job: int
    address: str
    name: str
    owner: str
    state: JobState
    pause_reason: PauseReason | None
    waiting: list[str]
    message: str
    requires: Requirement
    pinned: str
    settings: dict[str, Any]
    sets: list[SetView] = []
    source: str
    priority: int
    project: str
    comment: str
    max_slaves: int | None
    slaves: list[str]
    not_slaves: list[str]
    approval: bool
    order: FrameOrder
    depends: list[Dependency] = []
    counts: Counts
    frames: str
    created: datetime
    queued: datetime | None
    started: datetime | None
    ended: datetime | None
    version: int = 1
    updates: int | None = None
    seconds_per_frame: float | None
    frames_per_second: float
    eta_seconds: float | None
    missing_bytes: int
    total_bytes: int
    let_go: datetime | None = Field(None, description="When its files were let go; null: they are here.")
    boost: int = Field(0, description="How much sooner it is rendered for points; 0: not.")
    frame_milli: int | None = Field(
        None, description="Thousandths of points that a frame of it is worth, by those rendered; null: none is yet."
    )
    rush: int = Field(
        0, description="An admin's word: 1: before all others, 2: these wait until it is done. -1: after all others."
    )


class JobPage(Answer):
    """Jobs, newest first; `next` continues the list (`?after=`)."""

    jobs: list[JobView]
    next: int | None


class AttemptView(Answer):
    """One try at one frame by one slave."""

    attempt: int
    slave: str
    state: AttemptState
    issued: datetime
    started: datetime | None
    ended: datetime | None
    seconds: float | None
    cpu_seconds: float | None
    peak_memory_bytes: int | None
    failure_class: FailureClass | None
    message: str
    progress: float | None
    has_log: bool


class OutputFile(Answer):
    """One finished file of a frame."""

    frame: int
    name: str
    sha256: str
    size: int


class FrameView(Answer):
    """A frame, as people see it: `picture` is the renderer's number, `set` its parameter set's name.

    `uniform`: all pixels of its picture are equal. It counts as done, for fades are so; but look at it. `waiting`:
    why it waits, also for which other frames.
    """

    frame: int
    address: str
    picture: int
    set: str = ""
    state: FrameState
    message: str
    waiting: str
    slave: str | None
    progress: float | None
    seconds: float | None
    uniform: bool = False
    files: list[OutputFile]
    attempts: list[AttemptView]


class FramePage(Answer):
    """Frames in ascending order (without attempts); `next` continues the list (`?after=`)."""

    frames: list[FrameView]
    next: int | None


class OutputPage(Answer):
    """Finished files in ascending order of frames; `next` continues the list (`?after=`)."""

    files: list[OutputFile]
    next: int | None


class LogTail(Answer):
    """What a renderer said just now: `at` bytes after the frame's begin; bytes between two of them were skipped."""

    attempt: int
    at: int
    text: str


class FarmEvent(Answer):
    """One line of the event log, as SSE sends it; its SSE id is the vector to resume from.

    kind: `job` (state or settings changed), `frames` (`ranges`: state → frame range),
    `slave` (`slave` changed), `terms` (pools, tags, shares or friends changed), `reset` (events were missed: read
    everything anew).
    """

    kind: str
    at: datetime
    job: int | None = None
    slave: str | None = None
    data: dict[str, Any] = {}
