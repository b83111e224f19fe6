from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.farm import Farm, running
from tests.farm.nursery import QuickFarm

QUICK = {"heartbeat_seconds": "2", "free_space": "0"}


@pytest.fixture
def farm(tmp_path: Path, bare_database_url: str) -> Iterator[Farm]:
    """A farm without slaves, on each kind of database in turn."""
    with running(tmp_path, bare_database_url, quick=True) as farm:
        yield farm


@pytest.fixture
def lite_farm(tmp_path: Path) -> Iterator[Farm]:
    """A farm without slaves, on SQLite: where the database makes no difference."""
    with running(tmp_path, quick=True) as farm:
        yield farm


@pytest.fixture
def whole_farm(tmp_path: Path) -> Iterator[Farm]:
    """The same, each process started as a person starts it: for what is seen of it from outside."""
    with running(tmp_path) as farm:
        yield farm


@pytest.fixture
def quick_farm(tmp_path: Path, bare_database_url: str) -> Iterator[QuickFarm]:
    """A farm that may be killed hundreds of times, on each kind of database in turn."""
    with contextlib.closing(QuickFarm(tmp_path, bare_database_url, **QUICK)) as farm:
        yield farm


@pytest.fixture
def quick_lite_farm(tmp_path: Path) -> Iterator[QuickFarm]:
    """The same on SQLite: where the database makes no difference."""
    with contextlib.closing(QuickFarm(tmp_path, **QUICK)) as farm:
        yield farm
