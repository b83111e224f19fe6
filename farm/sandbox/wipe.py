"""Remove and count what a stranger's program has left: however deep it is, and whatever rights it has.

Python's own ways go down by calling themselves: a thousand folders in each other end them, and with them whoever
called; and a folder that may not be read stays for ever.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

_HIDDEN = (errno.ENAMETOOLONG, errno.EACCES)


def wipe(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as possible; it need not be there. Follows no links.

    What lies deeper is moved up, so that no path becomes too long.
    """
    if folder.is_symlink():
        return
    top = os.fspath(folder)
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
    left = _emptied(top)
    for inner in left:  # which grows meanwhile
        for deeper in _emptied(inner):
            above = f"{top}/{secrets.token_hex(8)}"
            with contextlib.suppress(OSError):
                os.rename(deeper, above)  # noqa: PTH104  there may be very many
                left.append(above)
        with contextlib.suppress(OSError):
            os.rmdir(inner)  # noqa: PTH106
    with contextlib.suppress(OSError):
        folder.rmdir()


def _emptied(folder: str) -> list[str]:
    """Remove all of a folder but its folders; return these, with rights to do the same to them."""
    inner = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.path)
                    os.chmod(entry.path, 0o700)  # noqa: PTH101
                else:
                    os.unlink(entry.path)  # noqa: PTH108
    return inner


def size(folder: Path) -> int:
    """Return the bytes that a folder takes on its disk; follows no links. Who hides something has the whole disk."""
    found = 0
    for about in contents(folder):
        if about is None:
            with contextlib.suppress(OSError):
                return shutil.disk_usage(folder).total
        else:
            found += getattr(about, "st_blocks", about.st_size // 512) * 512
    return found


def contents(folder: Path) -> Iterator[os.stat_result | None]:
    """Yield what the system knows of all that is in a folder; None for a folder that can't be looked into."""
    left = [os.fspath(folder)]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    with contextlib.suppress(FileNotFoundError):
                        yield entry.stat(follow_symlinks=False)
        except OSError as error:
            if error.errno in _HIDDEN:
                yield None
