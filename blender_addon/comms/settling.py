"""What becomes of half jobs: ended on the server, or left to the artist's choice. Each in a thread."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator

from . import unfinished
from .link import Link
from .messages import Done, Left
from .trouble import Trouble
from .unfinished import Half, Note

HURRY = 5.0
"""Seconds that a server has to answer when nobody wants a job any more."""

LATER = (0.2, 0.5, 1.0, 2.0)
"""Seconds between looks for a job that the server may be making right now."""

_GONE = ("job_not_found", "wrong_state")
"""What a server answers if there is nothing left to be ended."""


def cancel(link: Link, jobs: Iterable[int], asked: str = "", *, making: bool = False) -> bool:
    """End half jobs; return False if the server could not be told.

    Args:
        link: a link of their owner's.
        jobs: their numbers.
        asked: the key of one more, which the server may have made; empty: there is none.
        making: nobody waited for its answer, so that the server may be making it right now.
    """
    with link.fresh(HURRY) as own:
        try:
            for job in (*jobs, *_numbers(own, asked, LATER if making else ())):
                with _whether_gone():
                    own.call("POST", f"/api/jobs/{job}/cancel", {})
        except Trouble:
            return False
    return True


def _numbers(link: Link, asked: str, later: Iterable[float]) -> list[int]:
    """Return the number of the job that was made of a submission whose answer nobody heard, if one was."""
    for pause in (0.0, *later) if asked else ():
        time.sleep(pause)
        with _whether_gone():
            return [link.call("GET", "/api/jobs/by-key", key=asked)["job"]]
    return []


@contextlib.contextmanager
def _whether_gone() -> Iterator[None]:
    """Pass over what is not there any more."""
    try:
        yield
    except Trouble as trouble:
        if trouble.code not in _GONE:
            raise


def drop(note: Note, *, told: bool) -> None:
    """Want a half job no more; what the server could not be told, it is told later."""
    shutil.rmtree(note.half.scratch, ignore_errors=True)
    if told:
        note.forget()
        return
    note.keep(dropped=True)
    note.leave()


def forget(link: Link, half: Half) -> Done:
    """End a half job that was left."""
    note = unfinished.take(half)
    return give_up(link, note) if note else Done()


def give_up(link: Link, note: Note) -> Done:
    """End a half job that this Blender holds."""
    told = cancel(link, note.half.jobs, note.half.asked)
    drop(note, told=told)
    later = "" if told else " The farm is told when it answers."
    return Done(f"The upload of “{note.half.name}” is forgotten.{later}")


def stop(link: Link, jobs: Iterable[int]) -> Done:
    """End jobs that were on the farm already when the artist stopped.

    Raises:
        Trouble: the server could not be told.
    """
    if not cancel(link, jobs):
        raise Trouble("The job was on the farm already, which does not answer now.", "Cancel it when it does.")
    return Done(stopped(True))


def stopped(ended: bool) -> str:
    """Return what is said when the artist has stopped; `ended`: the farm has been told."""
    told = "nothing is left on the farm" if ended else "the farm does not answer, and is told when it does"
    return f"Stopped: {told}."


def settle(link: Link, user: str) -> Left:
    """End half jobs that nobody wants, or whose copy is gone; return those that the artist may go on with."""
    offered, ended = [], []
    for half in unfinished.left(link.server, user):
        note = unfinished.take(half)
        if note is None:
            continue
        if half.dropped or not half.whole:
            drop(note, told=cancel(link, half.jobs, half.asked))
            ended += [] if half.dropped else [half.name]
        elif _over(link, half):
            drop(note, told=True)
        else:
            note.leave()
            offered.append(half)
    return Left(offered, ended)


def _over(link: Link, half: Half) -> bool:
    """Tell whether the server waits for nothing more of it: somebody ended it, or all had arrived."""
    try:
        with link.fresh(HURRY) as own:
            states = [own.call("GET", f"/api/jobs/{job}")["state"] for job in half.jobs]
    except Trouble as trouble:
        return trouble.code == "job_not_found"
    behind = half.parcel.combining.tiles or half.parcel.combining.video
    return "canceled" in states or (bool(states) and not behind and "receiving" not in states)
