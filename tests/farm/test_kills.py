"""The server is killed with SIGKILL at random moments, while people and slaves go on."""

from __future__ import annotations

import random
import time

import pytest

from farm.simulator.manner import Manner
from tests.farm.nursery import QuickFarm
from tests.farm.people import people, pretend_slaves, set_right


def killed_again_and_again(farm: QuickFarm, kills: int, seed: int) -> None:
    """Kill the server at random moments; then nothing is lost, nothing counts twice, nothing is left over."""
    dice = random.Random(seed)
    farm.start_slave("real", slots="2")
    keys = [farm.client.make_slave_key(f"p{n}") for n in range(6)]
    with pretend_slaves(farm, keys, Manner(slots=2, seconds=0.02)):
        with people(farm, 4, seed) as all_:
            for _ in range(kills):
                time.sleep(dice.uniform(0.0, 0.7))
                farm.server.kill()
                farm.start_server()
            time.sleep(1)
        for person in all_:
            set_right(farm, person, 120)
    assert sum(len(person.jobs) for person in all_) > 4
    assert farm.audit() == []


@pytest.mark.timeout(300)
def test_a_server_killed_at_random_moments_loses_nothing_and_counts_nothing_twice(quick_farm: QuickFarm) -> None:
    killed_again_and_again(quick_farm, 10, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", range(2, 6))
def test_a_server_killed_hundreds_of_times_loses_nothing(quick_farm: QuickFarm, seed: int) -> None:
    killed_again_and_again(quick_farm, 50, seed)
