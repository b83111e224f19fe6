"""Shards are put together, and nothing that another writer does meanwhile is lost."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event, insert, select

from farm.accounts import ledger
from farm.database.handle import Database
from farm.database.schema import balances


def shard(conn: Connection, account: int, writer: int, milli: int) -> None:
    conn.execute(insert(balances), {"account": account, "writer": writer, "milli": milli, "earned": 0})


def shards_of(database: Database, account: int) -> list[int]:
    query = select(balances.c.milli).where(balances.c.account == account).order_by(balances.c.milli)
    return database.read_now(lambda conn: list(conn.execute(query).scalars()))


def test_what_starts_of_a_server_left_of_an_account_becomes_one_row(database: Database) -> None:
    for writer in (101, 102, 103):
        database.write_now(lambda conn, writer=writer: shard(conn, 7, writer, writer))
    database.write_now(ledger.fold)
    assert len(shards_of(database, 7)) == 3, "few of them are left alone while work is done"
    assert database.write_now(lambda conn: ledger.fold(conn, most=1)) is False
    assert shards_of(database, 7) == [306]


@pytest.mark.mariadb
def test_a_shard_that_another_writer_makes_while_others_are_folded_stays(mariadb) -> None:  # type: ignore[no-untyped-def]
    with mariadb.fresh() as url:
        ours, theirs = Database.open(url), Database.open(url)
        for writer in (101, 102):
            ours.write_now(lambda conn, writer=writer: shard(conn, 7, writer, writer))

        def fold(conn: Connection) -> None:
            @event.listens_for(conn, "before_cursor_execute")
            def late(_conn: object, _cursor: object, statement: str, *_: object) -> None:
                if statement.startswith("DELETE"):
                    theirs.write_now(lambda other: shard(other, 7, 103, 5))

            ledger.fold(conn, most=1)
            event.remove(conn, "before_cursor_execute", late)

        ours.write_now(fold)
        assert shards_of(ours, 7) == [5, 203]
        ours.close()
        theirs.close()
