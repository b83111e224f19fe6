"""A server is moved to another database and another folder, with interruptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, insert

from farm.database import schema, transfer
from farm.database.handle import Database
from farm.files.choice import store_of
from farm.server.backup import backup
from farm.server.backupfolder import BackupFolder
from farm.server.move import move
from farm.server.restore import restore
from farm.words.errors import DatabaseAway, NotASetup
from farm.words.settings import ServerSettings
from tests.cli.conftest import Run, home, run
from tests.jobs import pretend
from tests.jobs.pretend import sha
from tests.server.test_backup import rows
from tests.swift import swift

__all__ = ["home", "run"]


@pytest.fixture
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ServerSettings, ServerSettings]]:
    """A server with a job on SQLite, and settings with MariaDB and another folder."""
    with request.getfixturevalue("mariadb").fresh() as url:
        old, new = ServerSettings(data=tmp_path / "old"), ServerSettings(data=tmp_path / "new", database=url)
        database = Database.open(old.database_url)
        farm = pretend.make(database, old.storage_folder)
        named = insert(schema.meta).values(key="name", value="home")
        database.write_now(lambda conn: conn.execute(named) and None)
        farm.job(farm.user("ada"), {"shot.blend": b"a scene", "wood.png": b"wood"}, name="Überflug 🎬")
        database.close()
        (old.data / "peering.key").write_text('["secret"]')
        yield old, new


def breaking_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the new database be away when a table's turn comes."""
    fill = transfer._fill

    def filling(source: Any, target: Engine, table: Table) -> int:
        if table.name == name:
            raise DatabaseAway
        return fill(source, target, table)

    monkeypatch.setattr(transfer, "_fill", filling)


@pytest.mark.mariadb
def test_a_move_that_breaks_off_goes_on_and_all_rows_and_files_arrive(
    places: tuple[ServerSettings, ServerSettings], monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path
) -> None:
    old, new = places
    with monkeypatch.context() as patch:
        breaking_at(patch, "jobfile")
        with pytest.raises(DatabaseAway):
            move(old, new)
    with pytest.raises(NotASetup, match="is not whole yet"):
        Database.open(new.database_url)
    was = {table.name: sorted(rows(old.database_url, table), key=repr) for table in schema.metadata.sorted_tables}
    files = {name: tmp_path / f"{name}.toml" for name in ("old", "new")}
    files["old"].write_text(f'data = "{old.data}"\n')
    files["new"].write_text(f'data = "{new.data}"\ndatabase = "{new.database}"\n')
    moved = run("move", files["new"], "--config", files["old"], "--json")
    assert moved.exit_code == 0, moved.stderr
    copied = json.loads(moved.stdout)["rows"]
    assert (copied["frame"], copied["jobfile"]) == (0, 2), "it went on"
    arrived = {table.name: sorted(rows(new.database_url, table), key=repr) for table in schema.metadata.sorted_tables}
    assert arrived == was
    assert (new.storage_folder / "blobs" / sha(b"wood")[:2] / sha(b"wood")).read_bytes() == b"wood"
    assert (new.data / "peering.key").read_text() == '["secret"]'
    assert run("audit", "--config", files["new"]).stdout == "No contradictions.\n"
    with pytest.raises(NotASetup, match="was moved to"):
        Database.open(old.database_url)


@pytest.mark.mariadb
def test_a_move_does_not_go_on_if_the_old_server_ran_since(
    places: tuple[ServerSettings, ServerSettings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old, new = places
    with monkeypatch.context() as patch:
        breaking_at(patch, "jobfile")
        with pytest.raises(DatabaseAway):
            move(old, new)
    Database.open(old.database_url).close()
    with pytest.raises(NotASetup, match="is not empty"):
        move(old, new)
    assert move(old, ServerSettings(data=tmp_path / "third")).rows["frame"] == 10


@pytest.mark.soak
def test_a_server_moves_into_a_bucket_and_is_backed_up_and_restored_out_of_it(tmp_path: Path) -> None:
    old = ServerSettings(data=tmp_path / "old", free_space=0)
    database = Database.open(old.database_url)
    farm = pretend.make(database, old.storage_folder)
    named = insert(schema.meta).values(key="name", value="home")
    database.write_now(lambda conn: conn.execute(named) and None)
    farm.job(farm.user("ada"), {"shot.blend": b"a scene", "wood.png": b"wood" * 10_000_000})
    database.close()
    with swift() as service:
        bucket = {"free_space": 0, **service.settings}
        new = ServerSettings.model_validate({"data": tmp_path / "new", **bucket})
        assert move(old, new).copied.blobs == 2
        folder = BackupFolder(tmp_path / "backups")
        assert backup(new, folder).copied == 2
        assert set(folder.store.hashes()) == {sha(b"a scene"), sha(b"wood" * 10_000_000)}
        third = ServerSettings(data=tmp_path / "third", free_space=0)
        restored = restore(third, folder)
        assert (restored.copied.blobs, restored.copied.lost) == (2, [])
        assert store_of(third).size(sha(b"a scene")) == 7
