"""Many statements in one packet: MariaDB is asked over a connection, and each way there and back takes time.

The driver can do that where it is told to (:data:`FLAGS`). SQLAlchemy hears only of the first result, so
its own event for those who execute by themselves (`do_execute`) is where the others are read: what fails
there is told like any other statement's fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection

FLAGS = 1 << 1 | 1 << 16
"""Of MariaDB's protocol: to hear how many rows were found, changed or not, as SQLAlchemy wants; and many statements.

The driver's own names for them would have it imported where nobody uses it.
"""

MOST = 16
"""Statements of one packet. With as many rows as each may have, they are about 2 MB; every server takes 16."""

_HITS = "farm_hits"

Statement = tuple[str, tuple[Any, ...]]
"""Its text, and the values that the driver puts into their places."""


def teach(engine: Engine) -> None:
    """Let an engine's connections, made with :data:`FLAGS`, take many statements at once."""
    event.listen(engine, "do_execute", _execute)


def execute_all(conn: Connection, statements: Sequence[Statement]) -> list[int]:
    """Execute statements that return no rows, in their order; return how many rows each hit.

    The first that fails ends it, as if they had been sent one by one.
    """
    hits: list[int] = []
    for at in range(0, len(statements), MOST):
        some = statements[at : at + MOST]
        text, values = ";\n".join([text for text, _ in some]), tuple(chain.from_iterable([v for _, v in some]))
        conn.exec_driver_sql(text, values, execution_options={_HITS: hits})
    return hits


def _execute(cursor: Any, statement: str, values: Any, context: Any) -> Literal[True] | None:
    hits: list[int] | None = context.execution_options.get(_HITS)
    if hits is None:
        return None
    cursor.execute(statement, values)
    hits.append(cursor.rowcount)
    while cursor.nextset():
        hits.append(cursor.rowcount)
    return True
