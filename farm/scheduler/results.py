"""Good ends of attempts: the fence, and what a result changes."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from farm.database import eventlog
from farm.database.many import Change
from farm.database.memory import memory
from farm.database.schema import attempts, frames, result_files
from farm.protocol.slaves import Finished, Verdict
from farm.scheduler import paces, tally
from farm.scheduler.held import Held
from farm.words.clock import microseconds
from farm.words.states import FRAME_MOVES, AttemptState, FrameState, may

_FENCE = Change(
    frames,
    where={"job": "job", "number": "frame", "state": "was"},
    put={"result_attempt": "attempt", "seconds": "took"},
    fixed={"state": FrameState.DONE.value, "message": ""},
    empty=("result_attempt",),
)
_FIELDS = (
    "state",
    "ended",
    "started",
    "seconds",
    "cpu",
    "load",
    "memory",
    "result",
    "pixels",
    "uniform",
    "trace",
    "device",
)
_END = Change(attempts, where={"id": "of"}, put={name: name for name in _FIELDS}, fixed={"progress": 1000})
_ACCEPT = Change(result_files, where={"attempt": "of"}, fixed={"accepted": 1})


def judge(attempt: Held | None, slave: int, finished: Finished) -> Verdict | None:
    """Return the verdict on a result that can't be the frame's; None if it may be.

    Expiry does not matter: whoever was issued the attempt, was not revoked and did not say that it failed is welcome.
    """
    if attempt is None or attempt.slave != slave:
        return _verdict(finished, "refused", "This attempt was not issued to this slave.")
    if attempt.state is AttemptState.REVOKED:
        return _verdict(finished, "refused", "This attempt was taken back.")
    if attempt.state is AttemptState.FAILED:  # its owner may have been paid for that: nobody is paid for both
        return _verdict(finished, "refused", "This slave said that the attempt has failed.")
    if attempt.state in {AttemptState.WON, AttemptState.FORMER}:
        return _verdict(finished, "accepted")
    if attempt.state is AttemptState.LATE:
        return _verdict(finished, "late", "The frame has another result.")
    if attempt.result != bytes.fromhex(finished.sha256):
        return _verdict(finished, "again", "The result is not here: send it again.")
    return None


def accept(conn: Connection, attempt: Held, finished: Finished, device: str, at: int) -> Verdict:
    """Make a result the frame's, unless it has one: then it is late, and counts for nothing.

    Args:
        conn: the writer's.
        attempt: whose result it is.
        finished: what the slave says.
        device: by which way it was rendered on a graphics card; empty: on the processor.
        at: now, µs.
    """
    took = microseconds(finished.seconds)
    won = _pass_fence(conn, attempt, took)
    _end(conn, attempt, finished, device, AttemptState.WON if won else AttemptState.LATE, at)
    if not won:
        return _verdict(finished, "late", "The frame has another result.")
    memory(conn).later(_ACCEPT, {"of": attempt.id})
    paces.rendered(conn, attempt.slave, attempt.job, took)
    work = max(took, microseconds(finished.cpu_seconds))
    tally.finished(conn, attempt.job, attempt.frame_state, took, work)
    eventlog.note_frames(conn, attempt.job, FrameState.DONE, [attempt.frame], at=at)
    return _verdict(finished, "accepted")


def _pass_fence(conn: Connection, attempt: Held, took: int) -> bool:
    if attempt.result_attempt is not None or not may(FRAME_MOVES, attempt.frame_state, FrameState.DONE):
        return False
    place = {"job": attempt.job, "frame": attempt.frame, "was": attempt.frame_state.value}
    row = {**place, "attempt": attempt.id, "took": took}
    mind = memory(conn)
    if mind.batch > 1:  # it will hit, or the batch is run again one by one
        mind.later(_FENCE, row, exact=True)
        return True
    return bool(_FENCE.run(conn, [row]))


def _end(conn: Connection, attempt: Held, finished: Finished, device: str, became: AttemptState, at: int) -> None:
    row = {
        "of": attempt.id,
        "state": became.value,
        "ended": at,
        "started": attempt.started or at - microseconds(finished.seconds),
        "seconds": microseconds(finished.seconds),
        "cpu": microseconds(finished.cpu_seconds),
        "load": microseconds(finished.load_seconds),
        "memory": finished.peak_memory_bytes,
        "result": attempt.result,
        "pixels": bytes.fromhex(finished.pixels) if finished.pixels else None,
        "uniform": finished.uniform,
        "trace": finished.trace or None,
        "device": device,
    }
    memory(conn).later(_END, row, exact=True)  # else another process may have deleted its job since it was read
    attempt.state = became


def _verdict(finished: Finished, verdict: str, message: str = "") -> Verdict:
    return Verdict(attempt=finished.attempt, verdict=verdict, message=message)
