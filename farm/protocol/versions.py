"""Which slaves a server understands: those of its own minor version and of the one before."""

from __future__ import annotations

import re

_VERSION = re.compile(r"(\d+)\.(\d+)(\..*)?")

BEFORE = 1
"""How many minor versions a slave may be older than its server."""


def objection(server: str, slave: str) -> tuple[str, str]:
    """Return why a slave of a version can't work with a server, and what helps; two empty texts if it can. Pure.

    Other slaves than ours may call their versions as they like; these are believed to know what they do.
    """
    ours, theirs = _VERSION.fullmatch(server), _VERSION.fullmatch(slave)
    if ours is None or theirs is None:
        return "", ""
    major, minor = int(ours[1]), int(ours[2])
    if (int(theirs[1]), int(theirs[2])) > (major, minor):
        return (
            f"The slave's version {slave} is newer than the server's, {server}.",
            "Bring the server up to date first.",
        )
    if int(theirs[1]) == major and minor - int(theirs[2]) <= BEFORE:
        return "", ""
    return f"The slave's version {slave} is too old for the server's, {server}.", "Install the server's version there."
