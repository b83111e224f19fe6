"""Whose fault a failure is, and how to say it."""

from __future__ import annotations

from farm.client.landing import FULL
from farm.words.errors import (
    BadFrameRange,
    BadSetting,
    DistrenError,
    NoRoom,
    NotASetup,
    Refused,
    RendererFailed,
    TooLarge,
    UnsafePackage,
)
from farm.words.states import FailureClass

_JOB = (BadSetting, BadFrameRange, UnsafePackage, TooLarge, Refused)


def trouble(message: str, fault: FailureClass, log: str = "", *, short: bool = False) -> RendererFailed:
    """Return the error of a frame that failed in a renderer.

    Args:
        message: what happened, with job and frame.
        fault: whose fault it is.
        log: the end of the renderer's output.
        short: the machine's memory was not enough.
    """
    return RendererFailed(message, failure_class=fault, log=log, short=short)


def class_of(error: BaseException) -> FailureClass:
    """Return whose fault an error is: a renderer's failure says so; the way of the bytes is the farm's."""
    if isinstance(error, RendererFailed):
        return FailureClass(error.facts.get("failure_class", FailureClass.SLAVE))
    if isinstance(error, _JOB):
        return FailureClass.JOB
    if isinstance(error, NotASetup) or not isinstance(error, DistrenError):
        return FailureClass.SLAVE
    return FailureClass.FARM


def is_full(error: BaseException) -> bool:
    """Tell whether an error says that this slave's disk is full."""
    return isinstance(error, NoRoom) or (isinstance(error, OSError) and error.errno in FULL)


def words_of(error: BaseException) -> str:
    """Return an error as a sentence."""
    if is_full(error):
        return "The slave's disk is full."
    if isinstance(error, DistrenError):
        return f"{error.message} {error.hint}".strip()
    if isinstance(error, OSError):
        return f"The slave could not use {error.filename or 'its disk'}: {error.strerror or error}."
    return f"The slave failed: {error!r}."
