"""Say to the slave why an order failed, and whose fault it is."""

from __future__ import annotations

import traceback

from farm.methods.inside.trouble import JOB, SLAVE, Trouble
from farm.methods.inside.wire import Wire
from farm.words.errors import DistrenError


def say_failed(wire: Wire, attempt: object, error: Exception) -> None:
    """Say it in a session's words: our own errors are the job's fault, unforeseen ones the slave's."""
    if isinstance(error, Trouble):
        fault, message = error.kind, str(error)
    elif isinstance(error, DistrenError):
        fault, message = JOB, " ".join(filter(None, (error.message, error.hint)))
    else:
        traceback.print_exc()
        fault, message = SLAVE, f"{type(error).__name__}: {error}"
    wire.say("failed", attempt=attempt, **{"class": fault}, message=message)
