"""Who is told of what happens to a job or a slave."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.accounts import notices
from farm.database.schema import jobs
from farm.words.notices import About
from farm.words.states import JobState, PauseReason

_ENDS = {JobState.DONE: (About.DONE, "is done"), JobState.FAILED: (About.FAILED, "has failed")}
_STOPS = {
    PauseReason.FAULT: "is paused: its first frames failed",
    PauseReason.APPROVAL: "waits for your approval",
    PauseReason.QUOTA: "is paused: your quota is used up",
}


def of_job(conn: Connection, number: int, owner: int, new: JobState, values: dict[str, Any], at: int) -> None:
    """Tell a job's owner of its end, or that it waits for them.

    Args:
        conn: the writer's.
        number: the job's.
        owner: whose it is.
        new: its new state.
        values: what else changed of it.
        at: now, µs.
    """
    reason = values.get("pause_reason")
    stop = _STOPS.get(PauseReason(reason)) if new is JobState.PAUSED and reason else None
    about, words = _ENDS.get(new, (About.ATTENTION, stop))
    if words is None:
        return
    name = conn.execute(select(jobs.c.name).where(jobs.c.number == number)).scalar_one()
    notices.tell(
        conn, owner, about, f"Job {number} “{name}” {words}", str(values.get("message") or ""), f"/jobs/{number}", at
    )


def of_silence(conn: Connection, slave: str, owner: int, at: int) -> None:
    """Tell a slave's owner that it fell silent."""
    body = "It was not heard of for three heartbeats. Its frames are rendered elsewhere."
    notices.tell(conn, owner, About.SLAVE, f"Slave {slave} is gone", body, f"/slaves/{slave}", at)
