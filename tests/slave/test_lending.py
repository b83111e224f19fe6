"""How much of a machine renderers may use."""

from __future__ import annotations

import pytest

from farm.protocol.terms import Terms
from farm.slave import lending
from farm.slave.lending import Lending
from farm.words.settings import SlaveSettings


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "cores", lambda: 8)
    monkeypatch.setattr(lending, "memory_bytes", lambda: 10**10)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))


def test_of_slave_conf_and_the_owners_word_the_stricter_counts() -> None:
    found = Lending(SlaveSettings.model_validate({"cores": 6, "memory": "8GB", "cache_size": "5GB"}))
    assert (found.now.cores, found.now.processors, found.now.threads) == (6, {2, 3, 4, 5, 6, 7}, 6)
    assert (found.now.bounds.memory_bytes, found.now.disk_bytes, found.now.cards) == (8 * 10**9, 5 * 10**9, True)
    assert found.told(Terms(cores=2, memory_bytes=9 * 10**9, disk_bytes=10**9, cards=False))
    assert (found.now.cores, found.now.processors) == (2, {6, 7})
    assert (found.now.bounds.memory_bytes, found.now.disk_bytes, found.now.cards) == (8 * 10**9, 10**9, False)
    assert not found.told(Terms(cores=2, memory_bytes=9 * 10**9, disk_bytes=10**9, cards=False)), "no news"
    assert found.told(None)
    assert found.now.cores == 6


def test_slots_share_the_processors_that_are_lent() -> None:
    assert Lending(SlaveSettings.model_validate({"slots": 3, "cores": 6})).now.threads == 2
    assert Lending(SlaveSettings.model_validate({"slots": 3, "cores": 2})).now.threads == 1
    alone = Lending(SlaveSettings()).now
    assert (alone.threads, alone.processors, alone.bounds.memory_bytes) == (0, frozenset(), 9 * 10**9)
