"""Why something can't be rendered, and whose fault it is."""

from __future__ import annotations

JOB, SLAVE = "job", "slave"

_MACHINE = (
    "out of memory",
    "gpu memory",
    "memoryerror",
    "no space left",
    "could not write",
    "couldn't write",
    "openimagedenoise",
    "cuda",
    "optix",
    "hip error",
)
"""What Blender says when the machine is the reason, in lower case."""


class Trouble(Exception):
    """Something is wrong; `kind` says whether with the job or with this slave."""

    def __init__(self, message: str, kind: str = JOB) -> None:
        super().__init__(message)
        self.kind = kind


def from_blender(error: BaseException) -> Trouble:
    """Return the trouble that an error of Blender's means."""
    text = str(error).strip().removeprefix("Error: ").strip() or type(error).__name__
    if isinstance(error, (MemoryError, OSError)) or any(word in text.lower() for word in _MACHINE):
        return Trouble(text, SLAVE)
    return Trouble(text)
