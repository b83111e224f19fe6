from __future__ import annotations

from pathlib import Path

import pytest

from farm.database.handle import Database
from tests.jobs import pretend


@pytest.fixture
def farm(database: Database, tmp_path: Path) -> pretend.Farm:
    return pretend.make(database, tmp_path)
