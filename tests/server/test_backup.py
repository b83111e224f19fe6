"""Backups of a server's data: what is copied, what is kept, what is noticed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from farm.database import engine, schema, snapshots
from farm.database.handle import Database
from farm.jobs.collect import collect
from farm.scheduler import bulk
from farm.server.backup import backup
from farm.server.backupcheck import check
from farm.server.backupfolder import FACTS, BackupFolder, hash_of
from farm.server.restore import ATTEMPTS, restore
from farm.server.setup import found
from farm.words.clock import SECOND
from farm.words.errors import Conflict, HashMismatch, NotASetup
from farm.words.settings import ServerSettings
from tests.jobs import pretend
from tests.jobs.pretend import NOW, sha

YEAR = 365 * 24 * 3600 * SECOND


def settings_of(url: str, folder: Path, **more: Any) -> ServerSettings:
    return ServerSettings(data=folder, database=url, free_space=0, **more)


@pytest.fixture
def farm(lite_database: Database, tmp_path: Path) -> pretend.Farm:
    return of_home(lite_database, tmp_path)


@pytest.fixture
def lite_database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(snapshots.url_of(tmp_path / "farm.sqlite3"))
    yield opened
    opened.close()


def of_home(database: Database, tmp_path: Path) -> pretend.Farm:
    """A farm's database and store, of a server with the name “home”."""
    named = insert(schema.meta).values(key="name", value="home")
    database.write_now(lambda conn: conn.execute(named) and None)
    return pretend.make(database, tmp_path / "server" / "storage")


@pytest.fixture
def settings(farm: pretend.Farm, tmp_path: Path) -> ServerSettings:
    return settings_of(farm.database.url, tmp_path / "server")


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    return BackupFolder(tmp_path / "backups")


def rows(url: str, table: Any) -> list[Any]:
    reading = engine.reading(url)
    with reading.connect() as conn:
        got = list(conn.execute(select(table)).all())
    reading.dispose()
    return got


def test_a_restored_server_has_every_row_and_file_and_goes_on_with_higher_numbers(
    database: Database, folder: BackupFolder, tmp_path: Path
) -> None:
    farm, settings = of_home(database, tmp_path), settings_of(database.url, tmp_path / "server")
    ada = farm.user("ada")
    farm.job(ada, {"shot.blend": b"a scene", "wood.png": b"wood"}, name="Überflug")
    farm.attempt(1, 1, farm.slave("ws1", ada))
    (settings.data / "peering.key").write_text('["secret"]')
    done = backup(settings, folder)
    assert (done.facts.server, done.facts.files, done.copied, done.facts.lost) == ("home", 2, 2, [])
    new = settings_of(snapshots.url_of(tmp_path / "new.sqlite3"), tmp_path / "new")
    restored = restore(new, folder)
    for table in schema.metadata.sorted_tables:
        if table is not schema.sequences:
            assert sorted(rows(new.database, table), key=repr) == sorted(rows(farm.database.url, table), key=repr)
    assert (tmp_path / "new" / "storage" / "blobs" / sha(b"wood")[:2] / sha(b"wood")).read_bytes() == b"wood"
    keys = tmp_path / "new" / "peering.key"
    assert (keys.read_text(), keys.stat().st_mode & 0o777) == ('["secret"]', 0o600)
    numbers = dict(rows(new.database, schema.sequences))
    assert numbers["job"] == restored.next_job > 1000
    assert numbers["attempt"] > ATTEMPTS


def test_what_an_earlier_backup_has_is_not_copied_again_and_old_backups_give_way(
    farm: pretend.Farm, settings: ServerSettings, folder: BackupFolder
) -> None:
    ada = farm.user("ada")
    farm.job(ada, {"shot.blend": b"first"})
    first = backup(settings, folder)
    bulk_delete(farm, 1)
    farm.job(ada, {"shot.blend": b"second"})
    everything_collected(farm)
    second = backup(settings, folder, keep=2)
    assert (first.copied, second.copied) == (1, 1)
    assert folder.names() == [first.facts.name, second.facts.name]
    assert set(folder.store.hashes()) == {sha(b"first"), sha(b"second")}
    third = backup(settings, folder, keep=2)
    assert third.copied == 0
    assert folder.names() == [second.facts.name, third.facts.name]
    assert set(folder.store.hashes()) == {sha(b"second")}


def bulk_delete(farm: pretend.Farm, job: int) -> None:
    farm.database.write_now(lambda conn: bulk.delete(conn, job, NOW))


def everything_collected(farm: pretend.Farm) -> None:
    for later in (NOW, NOW + YEAR):
        for name in farm.store.hashes():
            os.utime(farm.store.local(name), (0, 0))
        asyncio.run(collect(farm.database, farm.store, later, grace=0))


def after_the_first_moment(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> list[str]:
    """Let something happen on the server when a backup has its first moment; return the moments that it took."""
    taken: list[str] = []
    take = snapshots.take

    def taking(url: str, file: Path) -> None:
        take(url, file)
        taken.append(url)
        if len(taken) == 1:
            act()

    monkeypatch.setattr(snapshots, "take", taking)
    return taken


def test_files_that_are_collected_while_a_backup_is_made_are_no_holes_in_it(
    farm: pretend.Farm, settings: ServerSettings, folder: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = farm.user("ada")
    farm.job(ada, {"shot.blend": b"a scene"})
    bulk_delete(farm, 1)
    asyncio.run(collect(farm.database, farm.store, NOW, grace=10**6))
    farm.job(ada, {"shot.blend": b"stays"})
    taken = after_the_first_moment(monkeypatch, lambda: everything_collected(farm))
    done = backup(settings, folder)
    assert len(taken) == 1, "nothing in that moment needed them"
    assert (done.facts.files, done.facts.lost) == (1, [])


def test_a_moment_whose_files_are_taken_away_is_taken_anew(
    farm: pretend.Farm, settings: ServerSettings, folder: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm.job(farm.user("ada"), {"shot.blend": b"a scene"})

    def deleted_and_collected() -> None:
        bulk_delete(farm, 1)
        everything_collected(farm)

    taken = after_the_first_moment(monkeypatch, deleted_and_collected)
    done = backup(settings, folder)
    assert len(taken) == 2
    assert (done.facts.files, done.facts.lost) == (0, [])


def test_files_that_the_server_lost_are_told_and_the_rest_is_backed_up(
    farm: pretend.Farm, settings: ServerSettings, folder: BackupFolder, tmp_path: Path
) -> None:
    farm.job(farm.user("ada"), {"shot.blend": b"a scene", "wood.png": b"wood", "stone.png": b"stone"})
    farm.store.local(sha(b"wood")).unlink()
    damaged = farm.store.local(sha(b"stone"))
    damaged.chmod(0o644)
    damaged.write_bytes(b"stoNe")
    assert backup(settings, folder).facts.lost == sorted([sha(b"wood"), sha(b"stone")])
    assert check(folder) == []
    new = settings_of(snapshots.url_of(tmp_path / "new.sqlite3"), tmp_path / "new")
    assert sorted(restore(new, folder).copied.lost) == sorted([sha(b"wood"), sha(b"stone")])


def test_a_check_finds_damage_and_the_next_backup_mends_it(
    farm: pretend.Farm, settings: ServerSettings, folder: BackupFolder
) -> None:
    farm.job(farm.user("ada"), {"shot.blend": b"a scene"})
    name = backup(settings, folder).facts.name
    blob = folder.store.local(sha(b"a scene"))
    blob.chmod(0o644)
    blob.write_bytes(b"a sCene")
    assert [sentence for sentence in check(folder) if "is damaged" in sentence]
    assert backup(settings, folder).copied == 1
    assert check(folder) == []
    with folder.database(name).open("ab") as file:
        file.write(b"x")
    assert check(folder) == [f"The database of backup {name} is damaged, or gone."]
    with pytest.raises(HashMismatch):
        restore(settings_of("", settings.data / "new"), folder, name)


def test_nothing_that_is_there_is_written_over(
    farm: pretend.Farm, settings: ServerSettings, folder: BackupFolder, tmp_path: Path
) -> None:
    farm.user("ada")
    backup(settings, folder)
    with pytest.raises(NotASetup, match="is not empty"):
        restore(settings, folder)
    (settings.data / "peering.key").write_text('["mine"]')
    backup(settings, folder)
    new = settings_of("", tmp_path / "new")
    new.data.mkdir()
    (new.data / "peering.key").write_text('["another"]')
    with pytest.raises(Conflict, match="keys"):
        restore(new, folder)
    with pytest.raises(NotASetup, match="is not whole yet"):
        Database.open(new.database_url)
    (new.data / "peering.key").unlink()
    restore(new, folder)
    opened = Database.open(new.database_url)
    assert found(opened, "", NOW).name == "home"
    opened.close()
    with pytest.raises(NotASetup, match="There is no backup 2020"):
        restore(new, folder, "2020")


def test_a_newer_versions_backup_is_refused_since_this_one_would_lose_what_it_does_not_know(
    farm: pretend.Farm, settings: ServerSettings, folder: BackupFolder, tmp_path: Path
) -> None:
    farm.user("ada")
    name = backup(settings, folder).facts.name
    one = engine.alone(snapshots.url_of(folder.database(name)))
    with one.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    one.dispose()
    facts = folder.facts(name).model_copy(update={"database_sha256": hash_of(folder.database(name))})
    (folder.root / name / FACTS).write_text(facts.model_dump_json(), "utf-8")
    with pytest.raises(NotASetup, match="revision 9999"):
        restore(settings_of("", tmp_path / "new"), folder)
