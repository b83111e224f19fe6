"""What Blender prints while it does something: some warnings are told nowhere else."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
from typing import Iterator  # noqa: UP035  (this Python may be 3.10)


@contextlib.contextmanager
def overheard() -> Iterator[list[str]]:
    """Collect what is printed meanwhile; the log gets it all the same.

    Blender prints by C's stdio, whose buffer must be emptied before and after.
    """
    lines: list[str] = []
    with tempfile.TemporaryFile() as heard:
        _flush()
        log = os.dup(1)
        os.dup2(heard.fileno(), 1)
        try:
            yield lines
        finally:
            _flush()
            os.dup2(log, 1)
            heard.seek(0)
            said = heard.read()
            lines += said.decode("utf-8", "replace").splitlines()
            _write(log, said)
            os.close(log)


def _flush() -> None:
    sys.stdout.flush()
    library = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
    library.fflush(None)


def _write(to: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(to, rest) :]
