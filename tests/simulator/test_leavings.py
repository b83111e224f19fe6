"""What a simulated server leaves behind: garbage goes, and what does not go is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import insert

from farm.database.handle import Database
from farm.database.schema import blobs
from farm.files.disk import DiskStore
from farm.files.store import Stored
from farm.jobs.audit import contradictions
from farm.simulator import leavings
from farm.simulator.leavings import orphans
from farm.words.settings import ServerSettings, load


@pytest.fixture
def settings(database: Database, database_url: str, tmp_path: Path) -> ServerSettings:
    """Settings of a server whose storage holds two blobs that nobody needs: of one there is no row either."""
    found = load(ServerSettings, None, data=tmp_path, database=database_url)
    store = DiskStore(found.storage_folder / "blobs", 0)
    stray, row = kept(store, b"stray"), kept(store, b"unneeded")
    assert stray != row
    value = {"hash": bytes.fromhex(row.sha256), "size": row.size, "created": 1, "unused": None}
    asyncio.run(database.write(lambda conn: conn.execute(insert(blobs).values(value)).close()))
    return found


def kept(store: DiskStore, data: bytes) -> Stored:
    arriving = store.incoming()
    arriving.write(data)
    return arriving.keep()


def test_what_nobody_needs_is_collected_from_disk_and_database(settings: ServerSettings) -> None:
    assert contradictions(settings) == []
    assert orphans(settings) == []
    assert list(DiskStore(settings.storage_folder / "blobs", 0).hashes()) == []


async def nothing(*_: object, **__: object) -> None:
    """Collect nothing."""


@pytest.mark.parametrize(
    ("left_out", "end"),
    [("collect_strays", "is in the storage, but no row knows it."), ("collect", "is kept, but nothing refers to it.")],
)
def test_what_nobody_collects_is_told(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch, left_out: str, end: str
) -> None:
    monkeypatch.setattr(leavings, left_out, nothing)
    (told,) = orphans(settings)
    assert told.endswith(end)
