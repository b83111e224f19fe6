"""The slave's talk with its server. `docs/reference/slave-protocol.md` says what to do per status.

A slave logs in with key and password, and then makes one call again and again,
`POST /api/slave/next`: a :class:`Report` goes in, :class:`Orders` come out. The report
is also the heartbeat. The call hangs until there is something to say, or `hold` is over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from farm.protocol.base import Answer, Label, Request, Sha256, Tag
from farm.protocol.errands import ErrandOrder, Load
from farm.protocol.jobs import FileEntry, Limits, ParameterSet, Version
from farm.protocol.terms import Accept, Terms
from farm.protocol.upgrades import Upgrade
from farm.words.states import FailureClass, FrameOrder, SlaveState
from farm.words.steps import LONGEST, PATTERN

INLINE_BYTES = 64 * 1024
"""A result tar up to this size rides inside the report."""

MOST_OF_TAIL = 4096
"""Characters of a renderer's output in one report."""

Number = Annotated[int, Field(ge=0, le=2**62)]
"""A number of the server's; larger ones don't fit into its database."""

SPAN = 1e9
"""The most seconds that anything may be said to have taken."""


class Offer(Request):
    """One renderer that a slave has tried and can use.

    Args:
        devices: the graphics cards that it renders on with Cycles, each with its kind, and once for each kind.
        software: engines that it draws without a graphics card: right, but slow.
        processor: it renders with Cycles on the processor, too.
        cannot: what was tried and does not work, each with the reason.
        addons: add-ons of the slave's owner that can be enabled in it, each `name=version`.
        tags: words of the slave's, which jobs may demand.
        build: tells builds of one version apart, which may draw otherwise; empty: nobody knows.
        drawer: what draws for engines of GL, with its version.
    """

    method: str
    version: str = ""
    engines: list[str] = []
    detail: Label = ""
    devices: list[str] = []
    software: list[str] = []
    processor: bool = True
    cannot: list[str] = []
    addons: list[str] = []
    tags: list[Tag] = Field([], max_length=50)
    build: Label = ""
    drawer: Label = ""

    def lacks(self, addons: list[str]) -> list[str]:
        """Return those of some add-ons that it does not have; a name alone is content with any version."""
        have = {*self.addons, *(addon.partition("=")[0] for addon in self.addons)}
        return [addon for addon in addons if addon not in have]


class Renderer(Request):
    """A renderer that a slave may install by itself: its method, and `major.minor` or one version of it."""

    method: Label
    version: Version


class Hardware(Request):
    """The machine under a slave; sizes in bytes.

    `contained`: renderers reach neither the network nor anything but their job. `containment`
    says it in words, with the reason if they are not. `installs` is what the slave would
    install by itself if a job needs it, `remarks` what went wrong with that. `hours`: when its owner lets it render, in
    words; empty: always. `arithmetic`: what renderers' last bits depend on, beside the processor: its instructions, and
    the library of functions. `drivers`: those of its graphics cards, with their versions, as far as it knows them.
    """

    hostname: Label = ""
    system: Label = ""
    cores: int = Field(ge=1, le=2**31 - 1)
    memory_bytes: int = Field(ge=0, le=2**62)
    devices: list[str] = []
    contained: bool = False
    containment: Label = ""
    installs: list[Renderer] = []
    remarks: list[Label] = []
    hours: Label = ""
    arithmetic: Label = ""
    drivers: list[Label] = []


class SlaveLogin(Request):
    """Open the slave's login.

    Args:
        build: tells DistRen's slaves of one version apart; other slaves leave it out.
        accept: whose jobs slave.conf admits.
        benchmark: it may be measured while it idles.
    """

    key: Label
    password: SecretStr
    version: Label
    build: Label = ""
    slots: int = Field(ge=1, le=1024)
    hardware: Hardware
    offers: list[Offer]
    accept: Accept = Accept.ALL
    benchmark: bool = False


class SlaveWelcome(Answer):
    """A slave token, good until the next login; how often to report; what its owner said on the server."""

    token: str
    name: str
    server: str
    heartbeat_seconds: float
    terms: Terms | None = None


class Running(Request):
    """An attempt that is rendering now.

    Args:
        seconds: since its rendering began.
        tail: what the renderer has said since the last report, told only while somebody watches: see
            `watched` of the orders.
        tail_at: where that begins, in bytes since the frame's begin.
    """

    attempt: Number
    progress: float = Field(0, ge=0, le=1)
    seconds: float = Field(0, ge=0, le=SPAN)
    memory_bytes: int = Field(0, ge=0, le=2**62)
    tail: Annotated[str, Field(max_length=MOST_OF_TAIL)] = ""
    tail_at: Number = 0


class Finished(Request):
    """An attempt with a result.

    The result is a tar (see :mod:`farm.package.results`), staged before by
    `PUT /api/slave/results/{attempt}`, or here in `inline` as base64.

    Args: seconds and cpu_seconds of the rendering, load_seconds of opening the file; `trace`: when
    each step was on the slave, as :mod:`farm.words.steps` writes it; `device`: what Cycles rendered on: `cpu`, or a
    way to a graphics card (`optix`, `cuda`, `hip`, `metal`, `oneapi`).
    """

    attempt: Number
    sha256: Sha256
    inline: Annotated[str, Field(max_length=INLINE_BYTES * 2)] = ""
    seconds: float = Field(ge=0, le=SPAN)
    cpu_seconds: float = Field(0, ge=0, le=SPAN)
    load_seconds: float = Field(0, ge=0, le=SPAN)
    peak_memory_bytes: int = Field(0, ge=0, le=2**62)
    pixels: Sha256 | None = None
    uniform: bool = False
    trace: Annotated[str, Field(max_length=LONGEST, pattern=PATTERN)] = ""
    device: Literal["", "cpu", "optix", "cuda", "hip", "metal", "oneapi"] = ""


class Failed(Request):
    """An attempt that failed. `log` is the end of the renderer's output, at most 64 KB.

    `short`: the machine's memory was not enough; the server looks for a bigger one.
    """

    attempt: Number
    failure_class: FailureClass
    message: Annotated[str, Field(max_length=2000)]
    log: Annotated[str, Field(max_length=65_536)] = ""
    short: bool = False
    seconds: float = Field(0, ge=0, le=SPAN)


class Report(Request):
    """What a slave says: the ends of attempts, all attempts that it holds, and what it wants.

    Args:
        seq: rises with each report; an older one is refused (`stale_report`).
        heard: the `seq` of the last report whose answer the slave obeyed. Who makes one call at a time, and
            repeats one without an answer as it was, needs not say it: it has heard all answers before this report.
        hold: seconds that the server may let the call hang; 0 answers at once.
        want: for how many slots leases are wanted.
        cards: how many of these slots are graphics cards.
        holding: attempts on the slave that are not rendering yet. Attempts of heard answers that are neither
            here nor in `running`, `finished` or `failed` were lost on the slave; the server takes them back at
            once. Those of answers that were not heard are given again.
        returned: attempts given back unrendered.
        finishing: rendered attempts whose result is still being uploaded.
        message: why the slave takes nothing at present, by its own decision; people see it.
        load: what its machine is busy with; once every minute or so.
    """

    seq: int = Field(ge=0, le=2**62)
    heard: int | None = Field(None, ge=0, le=2**62)
    hold: float = Field(0, ge=0, le=60)
    want: int = Field(0, ge=0, le=1024)
    cards: int = Field(0, ge=0, le=1024)
    state: SlaveState = SlaveState.IDLE
    # Made by a factory: what stands here as a value, pydantic copies deeply for each report.
    running: list[Running] = Field(default_factory=list)
    holding: list[Number] = Field(default_factory=list)
    finishing: list[Number] = Field(default_factory=list)
    finished: list[Finished] = Field(default_factory=list)
    failed: list[Failed] = Field(default_factory=list)
    returned: list[Number] = Field(default_factory=list)
    message: str = Field("", max_length=500)
    load: Load | None = None


class LeasedFrame(Answer):
    """One frame of a lease: `attempt` names this try, `picture` is the renderer's number, `set` its parameters'."""

    attempt: int
    number: int
    picture: int
    set: str = ""


class Lease(Answer):
    """Permission to render some frames of one job, in this order, until the deadline.

    `revision` changes whenever the job's sheet (settings, files) does. `order` in_order: the slave
    renders no two frames of the job at once, nor in two sessions. `slot`: where they may render:
    `cpu` the processor, `gpu` a graphics card, `optix` … one that is reached by that way; empty: on either.
    """

    lease: int
    job: int
    revision: int
    frames: list[LeasedFrame]
    deadline: datetime
    order: FrameOrder = FrameOrder.ANY
    slot: Literal["", "cpu", "gpu", "optix", "cuda", "hip", "metal", "oneapi"] = ""


class Verdict(Answer):
    """What became of a reported end.

    `accepted`; `late` (a double); `refused` (revoked); `again` (send the result anew).
    """

    attempt: int
    verdict: str
    message: str = ""


class Orders(Answer):
    """What a server says: new leases, attempts to stop at once, verdicts.

    `drain`: finish what runs, take nothing new. `superseded`: a newer report took over.
    `install`: a renderer that a job waits for, told to idle slaves that install some by
    themselves; a slave with another renderer than before logs in anew. `upgrade`: the version to run from
    now on, told until the slave has logged in with it, or says that it failed. `errand`: what a person wants it
    to do, told until it says that it is over, or another one takes its place. `terms`: what its owner lends of the
    machine, as said on the server (none: nothing); they count from the next frames on. `watched`: attempts whose
    renderers' output somebody reads just now; until the next orders, reports tell what is new of it.
    """

    leases: list[Lease] = []
    revoked: list[int] = []
    verdicts: list[Verdict] = []
    heartbeat_seconds: float = 5
    drain: bool = False
    superseded: bool = False
    install: Renderer | None = None
    upgrade: Upgrade | None = None
    errand: ErrandOrder | None = None
    terms: Terms | None = None
    watched: list[int] = []


class JobSheet(Answer):
    """All that a slave needs to know of a job, readable only through a live lease.

    The settings of a frame's set, and of sets without a name that have its picture, count more than `settings`.
    `limits` are the job's own; `defaults` are the server's, for those that it does not name. Jobs
    of one `circle` trust each other: they may share what renderers leave behind (compiled shaders). `depends`: the
    frames that need files of others (a range; empty: none), which :class:`RequiredFiles` names. `device`: what the
    job demands.
    """

    job: int
    revision: int
    address: str
    name: str
    method: str
    version: str
    newer: bool
    engine: str
    device: str = ""
    addons: list[str] = []
    settings: dict[str, Any]
    sets: list[ParameterSet] = []
    source: str
    limits: Limits
    defaults: Limits = Limits()
    order: FrameOrder = FrameOrder.ANY
    circle: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,40}$")] = ""
    depends: str = ""
    files: list[FileEntry]

    @property
    def called(self) -> int | str:
        """What people call the job: its number, or, if another server's is rendered here, its address there."""
        return self.job if not self.address or self.address.endswith(f"/{self.job}") else self.address


class RequiredFiles(Answer):
    """The files of the frames that a frame waited for: they belong into the job's folder, under `depends/`.

    `frames`: their folders, in the order in which the job names them.
    """

    frames: list[str]
    files: list[FileEntry]


class ResultStaged(Answer):
    """The server has the result durably; the report commits it."""

    attempt: int
    sha256: str
    size: int
