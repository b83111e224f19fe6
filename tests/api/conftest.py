"""A server for the tests of its API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from farm.client.farmclient import FarmClient
from tests.api.browsing import log_in, own
from tests.serving import Served, SlaveCaller, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
def admin(served: Served) -> FarmClient:
    return served.admin()


@pytest.fixture
def slave(served: Served, admin: FarmClient) -> Iterator[SlaveCaller]:
    caller = served.slave(admin)
    yield caller
    caller.http.close()


@pytest.fixture
def browser(served: Served, admin: FarmClient) -> Iterator[httpx.Client]:
    """A browser in which the admin is logged in."""
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False, timeout=30) as made:
        assert log_in(made).status_code == 303
        yield made
