"""The jobs that a job waits for, and those that wait for it, level by level: a graph that a page can draw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Select, select

from farm.database.schema import dependencies, jobs
from farm.jobs.access import Asker, seen
from farm.words.states import JobState

MOST = 100
"""Jobs of a graph; what is beyond is left out."""


@dataclass(frozen=True, slots=True)
class Link:
    """A job in the graph; on another `server`, only its number is known. `needs`: numbers of the jobs it waits for."""

    job: int
    name: str = ""
    state: JobState | None = None
    server: str = ""
    needs: tuple[int, ...] = ()


def chain(conn: Connection, asker: Asker, job: int) -> list[list[Link]]:
    """Return levels of jobs, those that come first at the beginning; one level if nothing waits for anything.

    Raises:
        JobNotFound: it is none of the asker's business.
    """
    seen(conn, asker, job)
    edges: set[tuple[int, int]] = set()
    levels = {job: 0}
    _walk(conn, levels, edges, step=-1)
    _walk(conn, levels, edges, step=1)
    known = _known(conn, asker, levels)
    found: dict[int, list[Link]] = {}
    for number, level in sorted(levels.items()):
        link = known.get(number)
        if link is not None:
            needs = tuple(sorted(need for one, need in edges if one == number and need in known))
            found.setdefault(level, []).append(Link(number, link.name, link.state, "", needs))
    found.setdefault(-1, []).extend(_elsewhere(conn, job))
    return [found[level] for level in sorted(found) if found[level]]


def _walk(conn: Connection, levels: dict[int, int], edges: set[tuple[int, int]], step: int) -> None:
    """Add what jobs wait for (step -1), or what waits for them (step 1), and the edges between, level by level."""
    fresh, level = {job for job, at in levels.items() if at == 0}, 0
    while fresh and len(levels) < MOST:
        level += step
        pairs = {(row.job, row.on_job) for row in conn.execute(_edges(fresh, step))}
        edges |= pairs
        fresh = {pair[1] if step < 0 else pair[0] for pair in pairs} - set(levels)
        levels |= dict.fromkeys(sorted(fresh)[: MOST - len(levels)], level)


def _edges(of: Iterable[int], step: int) -> Select[tuple[int, int]]:
    c = dependencies.c
    end = c.job if step < 0 else c.on_job
    return select(c.job, c.on_job).where(end.in_(list(of)), c.server == "", c.job != c.on_job).distinct()


def _known(conn: Connection, asker: Asker, numbers: Iterable[int]) -> dict[int, Link]:
    """Return those jobs that are here and that the asker may see."""
    c = jobs.c
    query = select(c.number, c.name, c.state).where(c.number.in_(list(numbers)), c.state != JobState.DELETED)
    if not asker.sees_all:
        query = query.where(c.owner == asker.user)
    return {row.number: Link(row.number, row.name, JobState(row.state)) for row in conn.execute(query)}


def _elsewhere(conn: Connection, job: int) -> list[Link]:
    c = dependencies.c
    query = select(c.server, c.on_job).where(c.job == job, c.server != "").distinct().limit(MOST)
    return [Link(row.on_job, server=row.server) for row in conn.execute(query)]
