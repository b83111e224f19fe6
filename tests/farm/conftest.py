from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.farm import Farm, running


@pytest.fixture
def farm(tmp_path: Path, database_url: str) -> Iterator[Farm]:
    """A farm without slaves, on each kind of database in turn."""
    with running(tmp_path, database_url) as farm:
        yield farm


@pytest.fixture
def lite_farm(tmp_path: Path) -> Iterator[Farm]:
    """A farm without slaves, on SQLite: where the database makes no difference."""
    with running(tmp_path) as farm:
        yield farm
