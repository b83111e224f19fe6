"""Keep tests that share a fixture of their module in one process, so that it is set up once.

Each process of `pytest -n` would else start a farm, or make pictures, for the few of its tests that it was given.
"""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group tests by module where they share something, unless they name a group; before xdist reads the groups."""
    for item in items:
        if _shares(item) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))


def _shares(item: pytest.Item) -> bool:
    known = getattr(item, "_fixtureinfo", None)
    fixtures = known.name2fixturedefs.values() if known else ()
    return any(each[-1].scope == "module" and each[-1].func.__module__.startswith("tests.") for each in fixtures)
