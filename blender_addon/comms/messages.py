"""What threads tell Blender's main thread, which alone may touch bpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .logins import Login
from .nearby import Server
from .trouble import Trouble
from .unfinished import Half


@dataclass(frozen=True)
class Ended:
    """A thread that the artist's wish started has ended."""


@dataclass(frozen=True)
class Connected:
    """The server answered; `user` is empty without a login. `methods` as the server declares them."""

    info: dict[str, Any]
    user: str
    methods: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class LoggedIn:
    """There is a login now."""

    login: Login


@dataclass(frozen=True)
class LoggedOut:
    """The login is void."""


@dataclass(frozen=True)
class Nearby:
    """The servers that announce themselves on this network."""

    servers: list[Server]


@dataclass(frozen=True)
class Progress:
    """How far sending is: bytes of `total`; `stage` in words."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Objections:
    """What stands against a submission: `problems` stop it, `unfit` waits for another slave, `notes` are only said."""

    problems: list[str]
    unfit: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Sent:
    """A job is on the farm: the last one, if the wish made several.

    Args:
        job: as the server tells it.
        wanted: the numbers of those whose files the artist wants.
        jobs: the numbers of all.
    """

    job: dict[str, Any]
    wanted: list[int]
    jobs: list[int]


@dataclass(frozen=True)
class NotSent:
    """Sending ended otherwise.

    Args:
        trouble: why.
        again: the same parcel can go on where it broke off.
        ended: nothing of it is left on the farm; False: the farm could not be told.
    """

    trouble: Trouble
    again: bool
    ended: bool = True


@dataclass(frozen=True)
class Left:
    """Half jobs that an earlier Blender left, which the artist may go on with; `ended`: names of those that can't."""

    halves: list[Half]
    ended: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Despatched:
    """What the thread tells that sends; `despatch` tells which, since the artist may have stopped it meanwhile."""

    despatch: Any
    message: Any


@dataclass(frozen=True)
class Jobs:
    """This user's jobs, newest first."""

    jobs: list[dict[str, Any]]


@dataclass(frozen=True)
class Failures:
    """Why frames of a job failed, a sentence for each reason."""

    job: int
    messages: list[str]


@dataclass(frozen=True)
class Thumbnails:
    """Thumbnails of a job's latest finished frames, in files: paths by frame, ascending."""

    job: int
    paths: dict[int, str]


@dataclass(frozen=True)
class Fetched:
    """Pictures that arrived: how many are here of a job, the newest, and those left alone since others lie there."""

    job: int
    count: int
    newest: str
    differing: list[str]
    ended: bool = False


@dataclass(frozen=True)
class Away:
    """The server does not answer for now, or again does (None)."""

    trouble: Trouble | None


@dataclass(frozen=True)
class Done:
    """A command was carried out; `said` in words."""

    said: str = ""


@dataclass(frozen=True)
class Failed:
    """A command was not carried out."""

    trouble: Trouble


@dataclass(frozen=True)
class Weighed:
    """What a boost would cost and give: the server's `view`, or the trouble that there was."""

    boost: Any
    view: dict[str, Any] | None
    trouble: Trouble | None = None
