"""What it means for a request that the system has not enough of something: it is refused, and works later."""

from __future__ import annotations

import errno
import os
import re

from farm.words.errors import DiskFull, DistrenError, Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT}
_BROKEN = {errno.EIO, errno.EROFS}
_FILES = {errno.EMFILE, errno.ENFILE}
_PANIC = re.compile("pointer is null|API call failed|MemoryError")
"""What libraries in Rust say when Python had no memory for them, in a kind of error that can't be imported."""


def shortage(error: BaseException | None) -> Unavailable | None:
    """Return the refusal that an error of the system becomes; None: it is another kind of error.

    Libraries put such an error into one of their own, or into a group. One of ours has a meaning of its own.
    A slave keeps a result that is refused so, and sends it again; what the server stumbled over, it gives up.
    """
    while error is not None and not isinstance(error, DistrenError):
        inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        if found := _of(error) or next(filter(None, map(shortage, inner)), None):
            return found
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def _of(error: BaseException) -> Unavailable | None:
    if isinstance(error, MemoryError) or _no_thread(error) or _panic(error):
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


def _no_thread(error: BaseException) -> bool:
    """Tell whether there was no room for another thread: Python has no class for that."""
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)


def _panic(error: BaseException) -> bool:
    return type(error).__name__ == "PanicException" and bool(_PANIC.search(str(error)))
