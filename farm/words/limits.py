"""What the system lets this process do: many connections, and no picture of its memory on a disk."""

from __future__ import annotations

import sys

FILES = 65_536
"""Open files and connections that are asked for: each slave that waits has one; the usual limit is 1,024."""


def settle() -> None:
    """Ask for as many open files as are allowed, and for no crash dumps: those would hold keys, tokens, passphrases."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
