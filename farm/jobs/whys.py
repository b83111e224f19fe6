"""Why a job or a frame waits, and why each slave got it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.database.schema import attempts, slaves
from farm.jobs.access import Asker, seen
from farm.jobs.frameviews import frame_view
from farm.jobs.jobviews import job_view
from farm.protocol.why import Assignment, WhyView
from farm.scheduler import chosen
from farm.words.clock import moment
from farm.words.states import FrameState

_SAID = {
    FrameState.DONE: "It is done.",
    FrameState.LEASED: "A slave has it.",
    FrameState.CANCELED: "Its job was canceled.",
}


def why_job(conn: Connection, asker: Asker, job: int, server: str, at: int) -> WhyView:
    """Return why frames of a job wait, or that none do.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    view = job_view(conn, asker, job, server, at)
    reasons = view.waiting or [view.message or f"The job is {view.state}: none of its frames wait."]
    return WhyView(address=view.address, state=view.state.value, reasons=reasons)


def why_frame(conn: Connection, asker: Asker, job: int, number: int, server: str, at: int) -> WhyView:
    """Return why a frame waits or failed, and for each slave that got it, why it did.

    Raises:
        JobNotFound, FrameNotFound: there is none, or it is none of the asker's business.
    """
    seen(conn, asker, job)
    view = frame_view(conn, asker, job, number, server, at)
    said = view.waiting or view.message or _SAID.get(view.state, "")
    reasons = [said] if said else why_job(conn, asker, job, server, at).reasons
    return WhyView(
        address=view.address, state=view.state.value, reasons=reasons, assignments=_assignments(conn, job, number)
    )


def _assignments(conn: Connection, job: int, number: int) -> list[Assignment]:
    c = attempts.c
    query = select(c.id, c.issued, c.state, c.chosen, slaves.c.name).join(slaves, slaves.c.id == c.slave)
    found = []
    for row in conn.execute(query.where(c.job == job, c.frame == number).order_by(c.id)):
        at = moment(row.issued)
        assert at is not None
        why = chosen.words(row.chosen) or "nobody noted why"
        found.append(Assignment(attempt=row.id, slave=row.name, at=at, state=row.state, why=why))
    return found
