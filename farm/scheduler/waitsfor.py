"""Which other frames a frame waits for, in words, for people; read by any connection."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select
from sqlalchemy.engine import Connection

from farm.database.schema import attempts, dependencies, frames, slaves
from farm.scheduler import elsewhere, rules, tally
from farm.scheduler.frames import AGAIN, USUAL, within
from farm.scheduler.rules import Rule
from farm.words.names import Address
from farm.words.ranges import FrameRange
from farm.words.states import AttemptState, FrameState

_SHOWN = 20
"""Other jobs that a job's reason looks at."""

_OPEN = [state.value for state in FrameState if state is not FrameState.DONE]


def of_frames(conn: Connection, job: int, numbers: Collection[int], server: str) -> dict[int, str]:
    """Return for blocked frames what each waits for.

    Args:
        conn: any connection.
        job: whose frames.
        numbers: which.
        server: this server's name.
    """
    if not numbers:
        return {}
    found: dict[int, list[str]] = {}
    for rule in rules.read(conn, job, (min(numbers), max(numbers))):
        shared = "" if rule.each else _first(conn, rule, rule.needs.whole, server)
        for number in numbers:
            if number in rule.frames and (reason := shared or _first(conn, rule, rule.needed(number), server)):
                found.setdefault(number, []).append(reason)
    return {number: f"waits for {' and '.join(reasons[:3])}" for number, reasons in found.items()}


def of_job(conn: Connection, job: int, server: str) -> list[str]:
    """Return which other jobs a job waits for, of which all that is left is blocked."""
    c = dependencies.c
    query = (
        select(c.place, c.on_job, c.server).where(c.job == job, or_(c.on_job != job, c.server != "")).order_by(c.place)
    )
    others = {(row.server, int(row.on_job)) for row in conn.execute(query.limit(_SHOWN))}
    named = [
        f"{Address(there or server, other)}{elsewhere.away(conn, there) if there else _how_far(conn, other)}"
        for there, other in sorted(others)
    ]
    return [f"Its frames wait for {', '.join(named)}."] if named else []


def _how_far(conn: Connection, job: int) -> str:
    """Return how far another job is, in brackets: of a single frame, how much of it is rendered; '' if nothing is."""
    count = tally.stored(conn, job)
    if count.done:
        return f" ({count.done:,} of {count.done + count.open + count.failed + count.canceled:,} frames done)"
    if count.leased != 1:
        return ""
    at_it = (attempts.c.job == job, attempts.c.state == AttemptState.OPEN.value, attempts.c.slave == slaves.c.id)
    row = conn.execute(select(attempts.c.frame, attempts.c.progress, slaves.c.name).where(*at_it).limit(1)).first()
    return "" if row is None else f" (frame {row.frame}, on {row.name}: {(row.progress or 0) / 10:.0f} %)"


def _first(conn: Connection, rule: Rule, needs: FrameRange, server: str) -> str:
    """Return the first of some frames that is not done, and whether there are more; '' if all are done."""
    if rule.server:
        missing = needs.minus(FrameRange.of(elsewhere.here(conn, rule.server, rule.on_job, needs)))
        if not missing:
            return ""
        address = Address(rule.server, rule.on_job, missing.first)
        return _named(address, more=len(missing) > 1) + elsewhere.away(conn, rule.server)
    query = select(frames.c.number).where(
        frames.c.job == rule.on_job, frames.c.state.in_(_OPEN), frames.c.rank.in_(list(range(USUAL + AGAIN + 1)))
    )
    for part in within(frames.c.number, needs):
        found = list(conn.execute(query.where(part).limit(2)).scalars())
        if found:
            return _named(Address(server, rule.on_job, min(found)), more=len(found) > 1)
    return ""


def _named(address: Address, *, more: bool) -> str:
    return f"{address} and others" if more else str(address)
