"""Statements for many rows at once, compiled once per database.

What a group commit puts off is written by these. SQLite is fast row by row, for it has no
way to go; MariaDB is asked over a connection, so each of its statements holds many rows, and
many of them go in one packet.
All names in the SQL that is put together here are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar, Protocol

from sqlalchemy import Dialect, Table
from sqlalchemy.engine import Connection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert

from farm.database.packets import Statement, execute_all

ROWS = 200
"""Rows of one statement where it holds many: it has to be parsed, too."""

Row = Mapping[str, Any]


class Many(Protocol):
    """What can be done for many rows at once; `makes`: it makes rows, which others may change."""

    makes: ClassVar[bool]

    def run(self, conn: Connection, rows: Sequence[Row]) -> int:
        """Do it, row by row inside SQLite; return how many rows of the table were hit."""

    def statements(self, dialect: Dialect, rows: Sequence[Row]) -> Iterator[Statement]:
        """Yield what MariaDB is told to do it."""


def run_all(conn: Connection, changes: Sequence[tuple[Many, Sequence[Row]]]) -> list[int]:
    """Do one change after the other; return how many rows each hit. MariaDB is asked once, or few times."""
    if conn.dialect.name == "sqlite":
        return [change.run(conn, rows) for change, rows in changes]
    told = [list(change.statements(conn.dialect, rows)) for change, rows in changes]
    hits = iter(execute_all(conn, list(chain.from_iterable(told))))
    return [sum(next(hits) for _ in some) for some in told]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """An INSERT, and the order of its values; `head` and `tail` stand around those of one row."""

    head: str
    one: str
    tail: str
    names: list[str]


@dataclass(frozen=True, eq=False)
class Rows:
    """An INSERT of many rows.

    Args:
        make: builds the statement for a dialect, by its name.
        names: of the columns that the rows give.
        fixed: column → value that it gets in all rows.
    """

    makes: ClassVar[bool] = True

    make: Callable[[str], Insert]
    names: tuple[str, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    _compiled: dict[str, _Compiled] = field(default_factory=dict)

    def run(self, conn: Connection, rows: Sequence[Row]) -> int:
        """Execute it for all rows."""
        if conn.dialect.name != "sqlite":
            return run_all(conn, [(self, rows)])[0]
        known = self._known(conn.dialect)
        return conn.exec_driver_sql(known.head + known.one + known.tail, self._values(known, rows)).rowcount

    def statements(self, dialect: Dialect, rows: Sequence[Row]) -> Iterator[Statement]:
        """Yield INSERTs of :data:`ROWS` rows each."""
        known = self._known(dialect)
        values = self._values(known, rows)
        for at in range(0, len(values), ROWS):
            some = values[at : at + ROWS]
            listed = ", ".join([f"({_places(one)})" for one in some])
            yield known.head + listed + known.tail, _asked(some)

    def _values(self, known: _Compiled, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        fixed = self.fixed
        return [tuple([fixed[n] if n in fixed else row[n] for n in known.names]) for row in rows]

    def _known(self, dialect: Dialect) -> _Compiled:
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = self._compile(dialect)
        return known

    def _compile(self, dialect: Dialect) -> _Compiled:
        columns = [*self.names, *self.fixed]
        kind: Any = type(dialect)
        by_place = kind(paramstyle="qmark" if dialect.name == "sqlite" else "format")
        compiled = self.make(dialect.name).compile(dialect=by_place, column_keys=columns)
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup
        one = f"({', '.join([compiled.bindtemplate % {'name': ''}] * len(columns))})"
        head, one, tail = str(compiled).partition(one)
        return _Compiled(head, one, tail, list(compiled.positiontup))


@dataclass(frozen=True, eq=False)
class Change:
    """An UPDATE of many rows, each by its key.

    Args:
        table: whose rows.
        where: column → parameter that it must equal.
        put: column → parameter that it becomes.
        fixed: column → value that it becomes in all rows.
        add: column → parameter that is added to it.
        empty: columns that must be NULL.
        filled: columns that must not be.
    """

    table: Table
    makes: ClassVar[bool] = False

    where: Mapping[str, str]
    put: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str | int | None] = field(default_factory=dict)
    add: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()

    def run(self, conn: Connection, rows: Sequence[Row]) -> int:
        """Update; return how many rows were found."""
        if not rows:
            return 0
        if conn.dialect.name != "sqlite":
            return run_all(conn, [(self, rows)])[0]
        return conn.exec_driver_sql(self._each, [tuple([row[n] for n in self._names]) for row in rows]).rowcount

    def statements(self, _dialect: Dialect, rows: Sequence[Row]) -> Iterator[Statement]:
        """Yield UPDATEs of :data:`ROWS` rows each, in the order of their keys: two processes lock them in the same."""
        ordered = sorted(rows, key=lambda row: tuple([row[n] for n in self.where.values()]))
        for at in range(0, len(ordered), ROWS):
            values = [[row[n] for n in self._names] for row in ordered[at : at + ROWS]]
            yield self._listed(values) if self._only_key else self._joined(values), _asked(values)

    @property
    def _only_key(self) -> bool:
        """Rows differ by nothing but one column that they are found by."""
        return not (self.put or self.add) and len(self.where) == 1

    @cached_property
    def _names(self) -> list[str]:
        return [*self.put.values(), *self.add.values(), *self.where.values()]

    @cached_property
    def _each(self) -> str:
        """Return the UPDATE of one row."""
        changes = [f'"{c}" = ?' for c in self.put] + [f'"{c}" = "{c}" + ?' for c in self.add]
        changes += [f'"{c}" = {_literal(value)}' for c, value in self.fixed.items()]
        found = [f'"{c}" = ?' for c in self.where] + self._nulls('"{}"')
        return f'UPDATE "{self.table.name}" SET {", ".join(changes)} WHERE {" AND ".join(found)}'  # noqa: S608

    def _nulls(self, named: str) -> list[str]:
        """Return the conditions on columns that must be NULL, or must not; `named`: how a name is written."""
        some = [f"{named.format(c)} IS NULL" for c in self.empty]
        return some + [f"{named.format(c)} IS NOT NULL" for c in self.filled]

    def _listed(self, values: Sequence[Sequence[Any]]) -> str:
        """Return the UPDATE of rows whose key is in a list."""
        changes = [f"`{c}` = {_literal(value)}" for c, value in self.fixed.items()]
        (key,) = self.where
        found = [f"`{key}` IN ({_places(chain.from_iterable(values))})", *self._nulls("`{}`")]
        return f"UPDATE `{self.table.name}` SET {', '.join(changes)} WHERE {' AND '.join(found)}"  # noqa: S608

    def _joined(self, values: Sequence[Sequence[Any]]) -> str:
        """Return the UPDATE that joins the table to a list of rows."""
        first = ", ".join([f"{_place(value)} AS `{name}`" for value, name in zip(values[0], self._names, strict=True)])
        more = [f" UNION ALL SELECT {_places(some)}" for some in values[1:]]
        changes = [f"t.`{c}` = v.`{p}`" for c, p in self.put.items()]
        changes += [f"t.`{c}` = t.`{c}` + v.`{p}`" for c, p in self.add.items()]
        changes += [f"t.`{c}` = {_literal(value)}" for c, value in self.fixed.items()]
        found = [f"t.`{c}` = v.`{p}`" for c, p in self.where.items()] + self._nulls("t.`{}`")
        return (
            f"UPDATE (SELECT {first}{''.join(more)}) AS v STRAIGHT_JOIN `{self.table.name}` AS t "  # noqa: S608
            f"ON {' AND '.join(found)} SET {', '.join(changes)}"
        )


def _place(value: Any) -> str:
    """Return a value as it stands in the SQL: numbers as they are, for most are, and drivers take long with each."""
    return "NULL" if value is None else str(value) if type(value) is int else "%s"


def _places(values: Iterable[Any]) -> str:
    return ", ".join([_place(value) for value in values])


def _asked(values: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    """Return the values that the driver puts into their places."""
    return tuple([value for some in values for value in some if value is not None and type(value) is not int])


def _literal(value: str | int | None) -> str:
    """Return one of our own constants as SQL."""
    return "NULL" if value is None else str(value) if isinstance(value, int) else f"'{value}'"
