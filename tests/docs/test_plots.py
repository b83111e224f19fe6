"""Figures in the documentation: written from what was measured, readable in light and in dark."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench.plots import IMAGES, PAGE, README, SHORT, Bar, between, chart, peers, ratios, stack, table

ROW = {"name": "gap", "value": 5.0, "unit": "ms", "goal": "<= 20", "ok": True, "note": "quiet",
       "peer": "Afanasy 2,040; Flamenco ≤ 22,000"}  # fmt: skip


@pytest.mark.parametrize("plot", sorted(IMAGES.glob("speed-*.svg")), ids=lambda path: path.name)
def test_each_plot_is_an_image_that_follows_the_readers_theme(plot: Path) -> None:
    text = plot.read_text("utf-8")
    assert ET.fromstring(text).tag.endswith("svg")
    assert "prefers-color-scheme: dark" in text
    assert plot.name in PAGE.read_text("utf-8"), "and is shown"


def test_names_can_not_break_a_plot() -> None:
    name = 'a <b> & "c"'
    for text in (chart(name, [Bar(name, 1.0, name, goal=2.0)], log=True), stack(name, [(name, 1.0)], "ms")):
        assert name in "".join(ET.fromstring(text).itertext())


def test_other_farms_stand_beside_ours_in_the_same_unit() -> None:
    bars = peers([ROW, {**ROW, "unit": "frames/s"}, {**ROW, "peer": ""}])
    assert [(bar.label, bar.value) for bar in bars] == [("gap", 0.005), ("Afanasy", 2.04), ("Flamenco", 22.0)]


def test_a_missed_goal_is_shown_as_such() -> None:
    row = {**ROW, "unit": "×", "ok": False}
    assert [bar.kind for bar in ratios([row])] == ["missed"]
    assert "**no**" in table([row], notes=True)


def test_writing_figures_again_changes_nothing_else() -> None:
    page = between("before\n<!-- figures: written by make plots -->\nold<!-- end of figures -->\nafter\n", "new\n")
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert "old" not in page
    assert between(page, "new\n") == page


def test_the_readme_shows_figures_that_the_page_explains() -> None:
    shown = [name for name in SHORT if f"| {name} |" in README.read_text("utf-8")]
    assert shown
    assert all(f"| {name} |" in PAGE.read_text("utf-8") for name in shown)
