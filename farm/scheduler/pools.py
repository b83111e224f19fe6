"""Pools: slaves that are for some users alone, or for jobs that name the pool. The rule is pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.engine import Connection

from farm.database.schema import pools
from farm.protocol.jobs import Requirement


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as the rules see it. `users`: whose jobs its slaves render without being named; ids."""

    name: str
    users: frozenset[int] = field(default_factory=frozenset)

    def lets_in(self, user: int) -> bool:
        """Tell whether a user's jobs may name it: a pool without users is for all who name it."""
        return not self.users or user in self.users


def serves(pool: Pool | None, requires: Requirement, owner: int) -> bool:
    """Tell whether a slave may render a job as far as pools go.

    A slave in a pool renders what names it, and what its users send without naming any; one in none renders what
    names none.

    Args:
        pool: the slave's; None: it is in none.
        requires: what the job needs.
        owner: the job's.
    """
    if requires.pool:
        return pool is not None and pool.name == requires.pool
    return pool is None or owner in pool.users


def read(conn: Connection) -> dict[str, Pool]:
    """Return all pools by name."""
    rows = conn.execute(select(pools.c.name, pools.c.users))
    return {row.name: Pool(row.name, frozenset(json.loads(row.users))) for row in rows}
