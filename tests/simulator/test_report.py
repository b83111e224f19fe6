"""What a simulation tells, as a reader finds it."""

from __future__ import annotations

import pytest

from farm.simulator.report import Account
from farm.simulator.svg import _steps, curves


@pytest.mark.parametrize(
    ("most", "steps"),
    [
        (1, [0, 0.5, 1]),
        (4, [0, 1, 2, 3, 4]),
        (134.8, [0, 50, 100]),
        (4000, [0, 1000, 2000, 3000, 4000]),
        (0.07, [0, 0.02, 0.04, 0.06]),
    ],
)
def test_an_axis_has_round_numbers(most: float, steps: list[float]) -> None:
    assert _steps(most) == pytest.approx(steps)


def test_a_plot_names_what_happened_where_it_did() -> None:
    plot = curves("Frames", {"frames": [(0, 0), (100, 8)]}, "", "seconds", [(50, "kill-server")])
    assert ">kill-server</text>" in plot
    assert '<line class="goal" x1="460.0" x2="460.0"' in plot


def test_a_page_fits_a_phone_and_a_sentence_can_t_change_it() -> None:
    page = Account("t", "r", {"not done": "<b>"}, ["<script>"], "distren simulate").html()
    assert "width=device-width" in page
    assert "<script>" not in page
    assert "<b>" not in page
