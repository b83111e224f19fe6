"""What admins see of frames that others drew otherwise, where nothing says for certain who is right."""

from __future__ import annotations

from datetime import datetime

from farm.protocol.base import Answer


class DoubtView(Answer):
    """A frame of a slave's that others drew otherwise, none of them by its very build of the renderer.

    Args:
        attempt: by which it drew it.
        build: the renderer that it named: method, version, build.
        tile: which part was compared, `4x4/3`; empty: the whole picture.
        said: what came of looking again by a slave of the same build; empty: none has looked.
        others: the slaves that drew it otherwise.
        picture: where the slave's is, as WebP; `other`: where the others' is.
    """

    attempt: int
    slave: str
    owner: str
    address: str
    job: int
    frame: int
    at: datetime
    build: str
    tile: str
    said: str
    others: list[str]
    picture: str
    other: str


class BuildsTrusted(Answer):
    """Builds of renderers that are trusted from now on, on the machines of one owner, or not any more."""

    builds: list[str]
