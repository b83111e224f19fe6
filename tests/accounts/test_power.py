"""What a slave's CPU-second is worth: the pure rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.accounts.power import Measured, counted, disturbed, power, throughput
from farm.methods.benchmark.scenes import reference
from farm.package.hashing import hash_file
from farm.words.clock import SECOND

EACH = 30 * SECOND


def test_the_reference_machine_has_power_one() -> None:
    alike = Measured([30 * SECOND, 29 * SECOND, 40 * SECOND], 50 * SECOND, 2)
    assert power(alike, EACH) == 1000
    assert throughput(alike, EACH) == 1800


def test_who_needs_half_the_time_has_twice_the_power() -> None:
    assert power(Measured([15 * SECOND] * 3, 25 * SECOND, 2), EACH) == 2000


@given(st.lists(st.integers(0, 100 * SECOND), min_size=3, max_size=3), st.integers(1, 1000), st.integers(1, 128))
def test_whatever_a_slave_says_its_points_by_the_minute_are_bounded_by_what_the_server_saw(
    cpus: list[int], wall: int, cores: int
) -> None:
    """Power × processors × time: what it can earn at most is no more than twice what it has shown."""
    shown = Measured(cpus, wall * SECOND, cores)
    assert power(shown, EACH) * cores <= 2 * throughput(shown, EACH) * 1.01 + 2 * cores


@given(st.integers(1, 64), st.integers(1, 1000))
def test_a_benchmark_that_had_less_than_half_of_what_its_machine_did_was_disturbed(cores: int, wall: int) -> None:
    def had(part: float) -> Measured:
        return Measured([round(part * wall * SECOND * cores / 3)] * 3, wall * SECOND, cores)

    assert disturbed(had(0.4), 0.9)
    assert not disturbed(had(0.5), 0.9)
    assert not disturbed(had(0.01), 0.0)


def test_a_rating_that_nobody_confirmed_counts_no_more_than_one() -> None:
    assert [counted(rated, provisional=True) for rated in (500, 5000)] == [500, 1000]
    assert counted(5000, provisional=False) == 5000


def test_the_scenes_are_those_that_the_reference_was_measured_with() -> None:
    assert reference().machine
    for scene in reference().scenes.values():
        assert hash_file(scene.path)[0] == scene.sha256
