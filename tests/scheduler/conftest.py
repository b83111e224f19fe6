"""Fixtures of the scheduler's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.database.handle import Database
from tests.scheduler.world import World


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A farm on each kind of database; what the scheduler left behind must be sound."""
    made = World(database)
    yield made
    assert made.faults() == []
