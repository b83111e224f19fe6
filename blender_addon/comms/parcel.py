"""What is to be sent: plain data, so that it can be kept in a file while it is on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class LocalFile:
    """A file here, and its place in the job; `frames` None: every frame needs it."""

    local: str
    place: str
    frames: str | None


@dataclass(frozen=True)
class Combining:
    """What the farm makes of pictures, each by a job behind the one before.

    Args:
        tiles: `4x4`; `auto`: by what the job of this name took; empty: pictures are rendered whole.
        video: its kind; empty: none.
        fps: pictures per second.
        size: of the pictures.
        sound: the file with the video's sound; empty: it has none.
        mix: the command that makes that file.
        bake: what simulates is baked first.
        finishing: what has to be done with whole pictures once their tiles are put together, a sentence each.
    """

    tiles: str = ""
    video: str = ""
    fps: float = 24.0
    size: tuple[int, int] | None = None
    sound: str = ""
    mix: tuple[str, ...] = ()
    finishing: tuple[str, ...] = ()
    bake: bool = False


@dataclass(frozen=True)
class Parcel:
    """A job to be sent.

    Args:
        submission: the message to the server, but for its files. Its `key` makes a repetition the same job.
        files: all files of the job.
        problems: what was found here that stops it.
        notes: what the artist should know.
        anyway: also if no slave can render it now.
        combining: what is made of its pictures.
    """

    submission: dict[str, Any]
    files: list[LocalFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    anyway: bool = False
    combining: Combining = Combining()
