"""What was rendered: by user, slave, method or project. From counts that are kept anyway, so it costs no history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from farm.database.schema import jobs, paces, slaves, tallies, users
from farm.jobs.access import Asker
from farm.words.clock import seconds


class Group(StrEnum):
    """What rows are for."""

    USER = "user"
    SLAVE = "slave"
    METHOD = "method"
    PROJECT = "project"


@dataclass(slots=True)
class Total:
    """What one of a group has: jobs, finished frames, and seconds of rendering."""

    name: str
    jobs: int = 0
    frames: int = 0
    seconds: float = 0.0


def totals(conn: Connection, asker: Asker, group: Group) -> list[Total]:
    """Return totals, the most rendering first; of what the asker may see.

    A slave's are of what it rendered, also of frames that were rendered anew later; deleted jobs count on.
    """
    if group is Group.SLAVE:
        found = [Total(name, many, int(done), seconds(int(spent))) for name, many, done, spent in _slaves(conn, asker)]
    else:
        found = list(_summed(conn, asker, group))
    return sorted(found, key=lambda one: (-one.seconds, -one.frames, one.name))


def _slaves(conn: Connection, asker: Asker) -> Iterator[Any]:
    c = paces.c
    query = select(slaves.c.name, func.count(), func.sum(c.done), func.sum(c.seconds)).join(
        slaves, slaves.c.id == c.slave
    )
    if not asker.sees_all:
        query = query.where(slaves.c.owner == asker.user)
    yield from conn.execute(query.group_by(slaves.c.name))


def _summed(conn: Connection, asker: Asker, group: Group) -> Iterator[Total]:
    found: dict[str, Total] = {}
    for key, many, done, spent in conn.execute(_jobs(asker, group)):
        name = json.loads(key)["method"] if group is Group.METHOD else key
        total = found.setdefault(name, Total(name))
        total.jobs += many
        total.frames += int(done)
        total.seconds += seconds(int(spent))
    yield from found.values()


def _jobs(asker: Asker, group: Group) -> Select[Any]:
    keys: dict[Group, ColumnElement[str]] = {
        Group.USER: users.c.name,
        Group.METHOD: jobs.c.requires,
        Group.PROJECT: jobs.c.project,
    }
    t, key = tallies.c, keys[group]
    many, done = func.count(jobs.c.number.distinct()), func.coalesce(func.sum(t.rendered), 0)
    whole = jobs.join(users, users.c.id == jobs.c.owner).outerjoin(tallies, t.job == jobs.c.number)
    query = select(key, many, done, func.coalesce(func.sum(t.seconds), 0)).select_from(whole).group_by(key)
    return query if asker.sees_all else query.where(jobs.c.owner == asker.user)
