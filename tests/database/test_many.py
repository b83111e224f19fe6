"""Statements for many rows do on each database what the same statements for single rows would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest
from sqlalchemy import insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from farm.database import many, packets
from farm.database.handle import Database
from farm.database.many import Change, Rows
from farm.database.memory import memory
from farm.database.schema import events, meta

PUT = Rows(lambda _: insert(events), ("writer", "seq", "at", "kind"), {"data": "{}"})
ADD = Rows(lambda _: insert(events), ("writer", "seq", "at", "kind"), {"data": "[]"})
MOVE = Change(
    events,
    where={"writer": "who", "seq": "place", "kind": "was"},
    put={"slave": "name"},
    fixed={"kind": "moved"},
    add={"at": "more"},
    empty=("job",),
)


def fill(database: Database, count: int) -> None:
    rows = [{"writer": 900, "seq": n, "at": n, "kind": "frames"} for n in range(count)]
    database.write_now(lambda conn: PUT.run(conn, rows))


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"who": 900, "place": number, "was": "frames", "name": f"ws% {number}", "more": 1000, **more}


def stored(database: Database) -> list[tuple[Any, ...]]:
    columns = (events.c.seq, events.c.at, events.c.kind, events.c.slave, events.c.data)
    query = select(*columns).where(events.c.writer == 900).order_by(events.c.seq)
    return [tuple(found) for found in database.read_now(lambda conn: conn.execute(query).all())]


@pytest.mark.parametrize("count", [1, 5, 2 * many.ROWS + 1])
def test_a_change_of_many_rows_changes_each_by_its_own_values(database: Database, count: int) -> None:
    fill(database, count + 1)
    assert database.write_now(lambda conn: MOVE.run(conn, [row(n) for n in reversed(range(count))])) == count
    assert stored(database) == [
        *((n, n + 1000, "moved", f"ws% {n}", "{}") for n in range(count)),
        (count, count, "frames", None, "{}"),
    ]


def test_a_change_tells_how_many_rows_were_as_they_should_be(database: Database) -> None:
    fill(database, 3)
    rows = [row(0), row(1, was="moved"), row(2), row(7)]
    assert database.write_now(lambda conn: MOVE.run(conn, rows)) == 2
    assert database.write_now(lambda conn: MOVE.run(conn, [row(0, was="moved", name="ws% 0", more=0)])) == 1
    assert database.write_now(lambda conn: MOVE.run(conn, [])) == 0
    assert [found[2] for found in stored(database)] == ["moved", "frames", "moved"]


def test_rows_that_one_command_makes_are_there_for_what_another_put_off_before(database: Database) -> None:
    def both(conn: Connection) -> None:
        memory(conn).later(MOVE, row(0), exact=True)
        memory(conn).later(PUT, {"writer": 900, "seq": 0, "at": 0, "kind": "frames"})

    database.write_now(both)
    assert stored(database) == [(0, 1000, "moved", "ws% 0", "{}")]


@pytest.mark.parametrize("count", [1, many.ROWS + 1, packets.MOST * many.ROWS + 1])
def test_what_is_done_together_is_done_in_order_and_each_change_tells_its_rows(database: Database, count: int) -> None:
    made = [{"writer": 900, "seq": n, "at": n, "kind": "frames"} for n in range(count)]
    moved, missed = [row(n) for n in range(count)], [row(count)]
    both: list[tuple[many.Many, Any]] = [(PUT, made), (MOVE, []), (MOVE, [*moved, *missed]), (MOVE, missed)]
    assert database.write_now(lambda conn: many.run_all(conn, both)) == [count, 0, count, 0]
    assert {found[2] for found in stored(database)} == {"moved"}


def test_one_of_many_statements_that_fails_undoes_them_all_and_the_writer_goes_on(database: Database) -> None:
    fill(database, 2)
    twice = {"writer": 900, "seq": 1, "at": 1, "kind": "twice"}

    def broken(conn: Connection) -> None:
        mind = memory(conn)
        mind.later(ADD, {"writer": 900, "seq": 7, "at": 7, "kind": "new"})
        mind.later(PUT, twice)
        mind.later(MOVE, row(0))

    with pytest.raises(IntegrityError):
        database.write_now(broken)
    assert [found[2] for found in stored(database)] == ["frames", "frames"]
    assert database.write_now(lambda conn: MOVE.run(conn, [row(0), row(1)])) == 2
    assert [found[2] for found in stored(database)] == ["moved", "moved"]


def test_a_change_can_ask_for_a_column_that_is_filled_and_empty_it(database: Database) -> None:
    fill(database, 2)
    clear = Change(events, where={"seq": "place"}, fixed={"slave": None}, filled=("slave",))
    assert database.write_now(lambda conn: MOVE.run(conn, [row(1)])) == 1
    assert database.write_now(lambda conn: clear.run(conn, [row(0), row(1)])) == 1
    assert [found[3] for found in stored(database)] == [None, None]


class Ask:
    """A command that reads ahead."""

    reads: ClassVar[list[int]] = []

    def __init__(self, key: str) -> None:
        self.key = key

    @staticmethod
    def ahead(conn: Connection, commands: Sequence[Ask]) -> None:
        Ask.reads.append(len(commands))
        query = select(meta.c.key, meta.c.value).where(meta.c.key.in_([command.key for command in commands]))
        memory(conn).ahead.update({found.key: found.value for found in conn.execute(query)})

    def __call__(self, conn: Connection) -> str | None:
        return memory(conn).ahead.get(self.key)


def test_neighbours_of_one_kind_read_together_and_see_what_others_wrote_before_them(database: Database) -> None:
    insert_one = Rows(lambda _: insert(meta), ("key", "value"))

    def put(values: Mapping[str, str]) -> Any:
        return lambda conn: memory(conn).later(insert_one, values)

    async def many_at_once() -> list[Any]:
        asked = [Ask("a"), Ask("b"), put({"key": "a", "value": "1"}), Ask("a"), Ask("b"), Ask("a")]
        # The first keeps the writer busy, so that the others share a transaction.
        gate = asyncio.create_task(asyncio.to_thread(database.write_now, lambda _conn: time.sleep(0.3)))
        await asyncio.sleep(0.1)
        answers = await asyncio.gather(*(database.write(command) for command in asked))
        await gate
        return answers

    Ask.reads.clear()
    assert asyncio.run(many_at_once()) == [None, None, None, "1", None, "1"]
    assert Ask.reads == [2, 3]
