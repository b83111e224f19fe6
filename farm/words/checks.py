"""How spot checks stand: frames of strangers' slaves that are rendered once more elsewhere."""

from __future__ import annotations

from enum import StrEnum


class CheckState(StrEnum):
    """How a check stands."""

    DUE = "due"
    """Waits for a slave that may check."""
    RENDERING = "rendering"
    """Is being rendered once more."""
    PASSED = "passed"
    """Somebody else drew the same pixels."""
    FALSE = "false"
    """Two others drew the same pixels, which it did not; what follows from that is still being done."""
    CONVICTED = "convicted"
    """The same, and all is done that follows."""
    DOUBTED = "doubted"
    """Others drew another picture, and nothing says for certain who is right: an admin has to, or its very build."""
    UNDECIDED = "undecided"
    """Nothing follows from it; `said` has the reason."""
