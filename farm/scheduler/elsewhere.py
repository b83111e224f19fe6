"""Frames of other servers that frames here wait for: those whose files are here count as done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.database.schema import peers, remote_files
from farm.scheduler.frames import within
from farm.scheduler.rules import Rule
from farm.words.ranges import FrameRange


def here(conn: Connection, server: str, job: int, needs: FrameRange) -> set[int]:
    """Return those of some frames of another server's job whose files are here."""
    file = remote_files.c
    query = select(file.frame).where(file.server == server, file.job == job).distinct()
    return {number for part in within(file.frame, needs) for number in conn.execute(query.where(part)).scalars()}


def unmet(conn: Connection, some: Sequence[Rule], numbers: Collection[int]) -> Iterator[int]:
    """Yield those of a job's frames that wait, by some of its rules, for another server's that are not here."""
    for rule in some:
        done = here(conn, rule.server, rule.on_job, rule.needs.whole)
        if not rule.each:
            if len(done) < len(rule.needs) or not done:
                yield from (number for number in numbers if number in rule.frames)
            continue
        for number in numbers:
            if number in rule.frames and any(need not in done for need in rule.needed(number)):
                yield number


def away(conn: Connection, server: str) -> str:
    """Return what keeps another server's frames from coming, to end a phrase with; '' if nothing is known to."""
    row = conn.execute(select(peers.c.state, peers.c.away).where(peers.c.name == server)).first()
    if row is None:
        return ""
    if row.state != "active":
        return f" (the exchange with {server} is {row.state})"
    return "" if row.away is None else f" ({server} does not answer)"
