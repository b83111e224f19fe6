"""A server for the tests of its API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from tests.serving import Served, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
def admin(served: Served) -> FarmClient:
    return served.admin()
