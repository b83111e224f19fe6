"""What a person has a slave do from afar."""

from __future__ import annotations

from enum import StrEnum


class Errand(StrEnum):
    """What a slave is asked to do, once."""

    TEST = "test"
    """Render a test frame with each of its renderers, beside its work."""
    LOG = "log"
    """Show the end of its log."""
    REST = "rest"
    """Render nothing for a while; what renders is finished, or given back."""
    WAKE = "wake"
    """End the rest that a person wanted."""
    RESTART = "restart"
    """Finish what renders, end, and begin anew."""
    STOP = "stop"
    """Finish what renders, and end."""
    STOP_NOW = "stop_now"
    """Give back at once what renders, and end."""


ENDS = frozenset({Errand.RESTART, Errand.STOP, Errand.STOP_NOW})
"""Errands that end the slave's process."""

TEXT = 200_000
"""Characters of what a slave shows: the end of its log."""
