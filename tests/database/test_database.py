"""The contract of the database handle, on every database that DistRen speaks."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError

from farm.database import engine, eventlog, migrate, numbers, writer
from farm.database.handle import Database
from farm.database.migrations import HEAD, OLDEST
from farm.database.reader import EventReader
from farm.database.schema import events, meta, metadata, sequences
from farm.database.vector import Vector
from farm.words.errors import JobNotFound, NotASetup, Unavailable


def put(key: str, value: str = "") -> object:
    return lambda conn: conn.execute(insert(meta), {"key": key, "value": value}) and None


def keys(conn: Connection) -> list[str]:
    """Return the keys that a test has written."""
    return list(conn.execute(select(meta.c.key).where(meta.c.key != migrate.SHARED).order_by(meta.c.key)).scalars())


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    with engine.writing(database.url).connect() as conn:
        command.check(migrate.config(conn))
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        conn.engine.dispose()


def test_the_named_head_is_the_newest_revision(database: Database) -> None:
    with engine.writing(database.url).connect() as conn:
        assert ScriptDirectory.from_config(migrate.config(conn)).get_current_head() == HEAD
        conn.engine.dispose()


def test_the_chain_runs_down_and_up_again(bare_database_url: str) -> None:
    Database.open(bare_database_url).close()
    writing = engine.writing(bare_database_url)
    with writing.connect() as conn:
        command.downgrade(migrate.config(conn), "base")
        conn.commit()
    assert migrate.revision(writing) is None
    assert migrate.migrate(writing)
    assert not migrate.migrate(writing)
    writing.dispose()


def test_text_is_compared_exactly(database: Database) -> None:
    for key in ("a", "A", "á", "ä", "😀"):
        database.write_now(put(key))  # type: ignore[arg-type]
    assert len(database.read_now(keys)) == 5


def test_each_opening_has_a_writer_number_of_its_own(database: Database) -> None:
    second = Database.open(database.url)
    second.close()
    assert second.writer_number == database.writer_number + 1


def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises((DBAPIError, Unavailable)):
        database.read_now(put("a"))  # type: ignore[arg-type]


def test_a_url_of_another_database_is_refused(tmp_path: Path) -> None:
    for url in ("postgresql://x/y", "sqlite://", "no url"):
        with pytest.raises(NotASetup):
            engine.parse(url)


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(NotASetup) as caught:
        Database.open("mysql+pymysql://distren:hunter2@127.0.0.1:1/distren")
    assert "mysql+pymysql://distren:***@127.0.0.1:1/distren can't be used: Can't connect" in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_wrong_password_is_said_in_words(database: Database) -> None:
    url = make_url(database.url)
    if url.get_backend_name() == "sqlite":
        pytest.skip("SQLite has no passwords")
    wrong = url.set(username="nobody-here", password="hunter2").render_as_string(hide_password=False)
    with pytest.raises(NotASetup) as caught:
        Database.open(wrong)
    assert "Access denied" in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "farm.db").write_text("a shopping list, and no database at all")
    with pytest.raises(NotASetup, match=r"farm\.db can't be used: file is not a database"):
        Database.open(f"sqlite:///{tmp_path / 'farm.db'}")


def test_a_database_of_a_newer_version_is_left_alone_unless_that_says_that_they_can_share_it(
    database: Database,
) -> None:
    def newer(works_from: str) -> None:
        def act(conn: Connection) -> None:
            conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            conn.execute(update(meta).where(meta.c.key == migrate.SHARED).values(value=works_from))

        database.write_now(act)

    newer(HEAD)
    Database.open(database.url).close()
    newer("9998")
    with pytest.raises(NotASetup, match="newer DistRen: its revision 9999"):
        Database.open(database.url)
    newer(OLDEST)
    database.write_now(lambda conn: conn.execute(text(f"UPDATE alembic_version SET version_num = '{HEAD}'")) and None)


def test_a_failing_command_costs_its_batch_nothing(database: Database) -> None:
    async def many() -> list[object]:
        def bad(conn: Connection) -> None:
            conn.execute(insert(meta), {"key": "bad", "value": ""})
            raise JobNotFound("There is no job 7.")

        waits = [database.write(bad if n == 10 else put(f"k{n:02}")) for n in range(30)]  # type: ignore[arg-type]
        return await asyncio.gather(*waits, return_exceptions=True)

    answers = asyncio.run(many())
    assert [n for n, answer in enumerate(answers) if isinstance(answer, BaseException)] == [10]
    assert isinstance(answers[10], JobNotFound)
    assert database.read_now(keys) == [f"k{n:02}" for n in range(30) if n != 10]


def test_a_failing_command_does_not_make_each_of_the_others_a_transaction(database: Database) -> None:
    go, entered = threading.Event(), threading.Event()
    commits: list[object] = []
    writing = database._engines[0]
    listen(writing, "commit", commits.append)

    def slow(_conn: Connection) -> None:
        entered.set()
        go.wait(30)

    def bad(_conn: Connection) -> None:
        raise JobNotFound("There is no job 7.")

    async def many() -> list[object]:
        first = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(entered.wait, 30)
        waits = [asyncio.create_task(database.write(bad if n == 10 else put(f"k{n:02}"))) for n in range(64)]
        await asyncio.sleep(0)
        go.set()
        return await asyncio.gather(first, *waits, return_exceptions=True)

    answers = asyncio.run(many())
    assert [n for n, answer in enumerate(answers[1:]) if isinstance(answer, BaseException)] == [10]
    assert len(commits) <= 1 + 6
    assert len(database.read_now(keys)) == 63


def test_a_full_queue_says_that_the_server_is_busy(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    go, entered = threading.Event(), threading.Event()

    def slow(_conn: Connection) -> None:
        entered.set()
        go.wait(30)

    holder = threading.Thread(target=database.write_now, args=(slow,))
    holder.start()
    entered.wait(30)
    monkeypatch.setattr(writer, "QUEUE", 1)
    waiter = threading.Thread(target=database.write_now, args=(put("late"),))
    waiter.start()
    while not database.waiting:
        pass
    with pytest.raises(Unavailable):
        database.write_now(put("x"))  # type: ignore[arg-type]
    go.set()
    holder.join()
    waiter.join()
    assert database.read_now(keys) == ["late"]


def raise_in_order(db: Database, order: str) -> None:
    def raise_them(conn: Connection) -> None:
        for key in order:
            value = int(conn.execute(select(meta.c.value).where(meta.c.key == key).with_for_update()).scalar_one())
            conn.execute(update(meta).where(meta.c.key == key).values(value=str(value + 1)))

    for _ in range(40):
        db.write_now(raise_them)


def test_two_writers_in_opposite_order_both_get_through(database: Database) -> None:
    other = Database.open(database.url)
    for key in "ab":
        database.write_now(put(key, "0"))  # type: ignore[arg-type]

    threads = [threading.Thread(target=raise_in_order, args=a) for a in ((database, "ab"), (other, "ba"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    values = select(meta.c.value).where(meta.c.key != migrate.SHARED)
    assert database.read_now(lambda c: list(c.execute(values).scalars())) == ["80", "80"]


def test_a_number_is_never_given_twice(database: Database) -> None:
    other = Database.open(database.url)
    taken: list[int] = []

    def take(db: Database) -> None:
        taken.extend(db.write_now(lambda conn: numbers.take(conn, "job")) for _ in range(30))

    threads = [threading.Thread(target=take, args=(db,)) for db in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert sorted(taken) == list(range(1, 61))


def test_a_block_of_numbers_that_was_rolled_back_is_not_used(database: Database) -> None:
    def fail(conn: Connection) -> None:
        numbers.reserved(conn, "attempt", 3)
        raise JobNotFound

    with pytest.raises(JobNotFound):
        database.write_now(fail)
    first = database.write_now(lambda conn: numbers.reserved(conn, "attempt", 3))
    second = database.write_now(lambda conn: numbers.reserved(conn, "attempt", 2000))
    assert not set(first) & set(second)
    stored = database.read_now(
        lambda c: c.execute(select(sequences.c.next).where(sequences.c.name == "attempt")).scalar()
    )
    assert stored == max(second) + 1


def test_a_restarted_process_goes_on(database_url: str) -> None:
    for _ in range(3):
        opened = Database.open(database_url)
        opened.write_now(lambda conn: eventlog.note(conn, "job", at=1, job=1))
        opened.close()
    opened = Database.open(database_url)
    assert opened.read_now(lambda c: c.execute(select(func.count()).select_from(events)).scalar()) == 3
    opened.close()


def test_events_of_one_job_in_one_transaction_are_one(database: Database) -> None:
    def several(conn: Connection) -> None:
        eventlog.note(conn, "job", at=1, job=5, data={"state": "queued", "priority": 1})
        eventlog.note(conn, "job", at=2, job=5, data={"state": "rendering"})
        eventlog.note_frames(conn, 5, "leased", [1, 2, 3], at=2)
        eventlog.note_frames(conn, 5, "done", [2], at=3)

    database.write_now(several)
    rows = database.read_now(lambda c: c.execute(select(events).order_by(events.c.seq)).all())
    assert [(r.seq, r.kind, r.data) for r in rows] == [
        (1, "job", '{"state": "rendering", "priority": 1}'),
        (2, "frames", '{"ranges": {"leased": "1,3", "done": "2"}}'),
    ]


def test_a_command_that_fails_leaves_no_gap_in_the_events(database: Database) -> None:
    def noted(fail: bool) -> object:
        def run(conn: Connection) -> None:
            eventlog.note(conn, "job", at=1, job=1)
            if fail:
                raise JobNotFound

        return run

    for fail in (False, True, False, True, False):
        if fail:
            with pytest.raises(JobNotFound):
                database.write_now(noted(fail))  # type: ignore[arg-type]
        else:
            database.write_now(noted(fail))  # type: ignore[arg-type]
    assert database.read_now(lambda c: list(c.execute(select(events.c.seq)).scalars())) == [1, 2, 3]


def test_a_listener_hears_each_event_of_two_writers_once(database: Database) -> None:
    other = Database.open(database.url)

    async def listen() -> list[tuple[int, int]]:
        reader = EventReader(database)
        await reader.start()
        heard: list[tuple[int, int]] = []
        stream = reader.subscribe(Vector())

        async def speak(db: Database, job: int) -> None:
            for n in range(25):
                await db.write(lambda conn, n=n: eventlog.note(conn, "job", at=n, job=job))  # type: ignore[misc]

        speaking = asyncio.gather(speak(database, 1), speak(other, 2))
        async with asyncio.timeout(60):
            async for told in stream:
                heard.append((told.writer, told.seq))
                if len(heard) == 50:
                    break
            await speaking
        await stream.aclose()  # type: ignore[attr-defined]
        await reader.stop()
        return heard

    heard = asyncio.run(listen())
    other.close()
    assert sorted(heard) == [(w, s) for w in (database.writer_number, other.writer_number) for s in range(1, 26)]


def test_a_listener_that_comes_back_misses_nothing(database: Database) -> None:
    async def run() -> list[str]:
        reader = EventReader(database)
        for n in range(10):
            await database.write(lambda conn, n=n: eventlog.note(conn, "job", at=n, job=n))  # type: ignore[misc]
        await reader.start()
        got = []
        async with asyncio.timeout(30):
            async for told in reader.subscribe(Vector({database.writer_number: 4})):
                got.append(f"{told.job} {told.place}")
                if len(got) == 6:
                    break
        await reader.stop()
        return got

    assert asyncio.run(run()) == [f"{n} {database.writer_number}:{n + 1}" for n in range(4, 10)]


def test_who_missed_pruned_events_is_told_to_begin_anew(database: Database) -> None:
    for n in range(5):
        database.write_now(lambda conn, n=n: eventlog.note(conn, "job", at=n, job=n))  # type: ignore[misc]
    assert database.write_now(lambda conn: eventlog.prune(conn, eventlog.KEPT + 100)) == 4

    async def first(since: Vector) -> str:
        reader = EventReader(database)
        await reader.start()
        async with asyncio.timeout(30):
            async for told in reader.subscribe(since):
                await reader.stop()
                return told.kind
        raise AssertionError

    assert asyncio.run(first(Vector())) == "reset"
    assert asyncio.run(first(Vector({database.writer_number: 4}))) == "job"


def test_sqlite_is_as_durable_as_promised(tmp_path: Path) -> None:
    opened = Database.open(f"sqlite:///{tmp_path / 'farm.db'}")
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    found = opened.write_now(lambda c: [c.execute(text(f"PRAGMA {p}")).scalar() for p in pragmas])
    opened.close()
    assert found == ["wal", 2, 1, 5000]
