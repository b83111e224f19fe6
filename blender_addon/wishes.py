"""What an artist wants of a job, and what there is to say to it. Knows nothing of Blender."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BAKE = "bake"
"""The order of frames that wait for a bake."""


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


@dataclass(frozen=True)
class Finding:
    """Something to say before a job is sent.

    kind: `hard` (can't be sent), `missing`, `physics`, `paint`, `addons`, `output`, `taken`, `unfit`: the artist may
    send anyway.
    """

    text: str
    kind: str
    missing: str = ""
    """Of `taken`: how many pictures are not there, in words."""
    library: str = ""
    """Of `missing`: the library in which it can be mended; empty: in the open file."""


@dataclass(frozen=True)
class Wish:
    """What the artist wants to be rendered, and how.

    Args:
        name: the job's; empty: the file's.
        frames: a range; empty: the scene's.
        test: this one frame, small, as a test.
        settings: the method's, by name.
        device: `file`, `cpu`, `gpu` or `any`.
        order: `in_order`, `any`, `bake`: one slave bakes first; empty: not chosen.
        anyway: kinds of findings that the artist overrules.
        folder: where the pictures go; empty: the scene's own output folder.
        only_missing: only frames whose pictures are not there.
        update: a job that has ended, which gets the file as it is now, and renders the frames anew; 0: a new job.
        keep: what lies where pictures go is moved into a folder `former`.
        previews: of OpenEXR, only small previews come home.
        tiles: pictures are rendered in tiles and put together: `4x4`, or `auto`; empty: whole.
        video: what is made of the pictures (`mp4`, …); empty: none.
        tags: words that slaves must have, all of them.
        pool: the pool whose slaves alone may render it; empty: all that may.
        studio: the farm is that of a team, whose add-ons may travel with the job.
        members: further members of the submission.
    """

    name: str = ""
    frames: str = ""
    test: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    device: str = "file"
    order: str = ""
    newer: bool = False
    anyway: frozenset[str] = frozenset()
    paused: bool = False
    fetch: bool = True
    replace: bool = False
    folder: str = ""
    only_missing: bool = False
    update: int = 0
    keep: bool = False
    previews: bool = False
    tiles: str = ""
    video: str = ""
    tags: tuple[str, ...] = ()
    pool: str = ""
    studio: bool = False
    members: dict[str, Any] = field(default_factory=dict)
