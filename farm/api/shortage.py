"""What it means for a request that the system has not enough of something: it is refused, and works later."""

from __future__ import annotations

import errno
import os

from farm.words.errors import DiskFull, Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT}
_BROKEN = {errno.EIO, errno.EROFS}
_FILES = {errno.EMFILE, errno.ENFILE}


def shortage(error: BaseException | None) -> Unavailable | None:
    """Return the refusal that an error of the system becomes; None: it is another kind of error.

    A slave keeps a result that is refused so, and sends it again; what the server stumbled over, it gives up.
    """
    if isinstance(error, MemoryError) or _no_thread(error):
        return Unavailable("The server has no memory left for this.", hint="Try again in a moment, or send less.")
    number = error.errno if isinstance(error, OSError) and error.errno else 0
    if number in _FULL:
        return DiskFull("The server's disk is full.", hint="Delete jobs, or give the server's folders more space.")
    if number in _BROKEN:
        said = os.strerror(number)
        hint = "Its admin should look at the disk: everything goes on when it can be written again."
        return Unavailable(f"The server's disk does not take this: {said}.", hint=hint)
    if number in _FILES:
        return Unavailable("The server may open no more files.", hint="Try again in a moment.")
    return None


def _no_thread(error: BaseException | None) -> bool:
    """Tell whether there was no room for another thread: Python has no class for that."""
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)
