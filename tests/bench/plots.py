"""Put what `make bench` measured into the documentation: `python -m tests.bench.plots`.

Tables and plots are written from `build/bench.json`, so that no figure is copied by hand. Plots are
plain SVG that follows the reader's light or dark theme.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from farm.simulator.svg import Bar, chart, stack
from tests.bench.choices import NAME as CHOICES
from tests.bench.entry import OUT
from tests.bench.page import between, read, signed, table

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "explanation" / "measured.md"
README = ROOT / "README.md"


def figures() -> dict[str, dict[str, Any]]:
    """Return what was measured, by name: here, or else by whoever wrote the page."""
    here = json.loads(OUT.read_text("utf-8")) if OUT.exists() else []
    return {row["name"]: row for row in (*read(PAGE.read_text("utf-8")), *here)}


def peers(rows: Iterable[dict[str, Any]]) -> list[Bar]:
    """Return our figures in times and theirs beside them."""
    bars: list[Bar] = []
    for row in rows:
        scale = {"ms": 0.001, "s": 1.0}.get(row["unit"])
        found = re.findall(r"([A-Z][a-z]+)[^\d;]*(\d[\d,.]*\d|\d)", row["peer"])
        if scale is None or not found:
            continue
        bars.append(Bar(row["name"], row["value"] * scale, f"{row['value']:,.3g} {row['unit']}"))
        for name, number in found:
            bars.append(Bar(name, float(number.replace(",", "")) * scale, f"{number} {row['unit']}", "theirs"))
    return bars


def ratios(rows: Iterable[dict[str, Any]]) -> list[Bar]:
    """Return figures that are measured beside others in the same run."""
    bars = []
    for row in (row for row in rows if row["unit"] == "×"):
        goal = float(row["goal"].split()[1]) if row["goal"] else None
        wish = f" (goal {signed(row['goal'])})" if row["goal"] else ""
        kind = "missed" if row["ok"] is False else "ours"
        bars.append(Bar(row["name"], row["value"], f"{row['value']:.2f} ×{wish}", kind, goal))
    return bars


def choices(rows: Iterable[dict[str, Any]]) -> list[Bar]:
    """Return what a user could do instead, and this farm."""
    some = [row for row in rows if row["name"].startswith(CHOICES)]
    return [
        Bar(
            row["name"].removeprefix(CHOICES),
            row["value"],
            f"{row['value']:,.0f} s",
            "ours" if "farm" in row["name"] else "theirs",
        )
        for row in some
    ]


SHORT = (
    "120 small frames: farm ÷ blender -a",
    "120 small frames: farm ÷ a process per frame",
    "48 heavy frames: blender -a ÷ farm",
    "48 heavy frames: a process per frame ÷ farm",
    "gap between frames on a slot",
    "submission complete to first lease",
    "2,000 trivial frames, 1 pretend slave × 4 slots",
    "200 pretend slaves × 1 slot, 2,000 frames of 1 s",
    "SQLite: returns, 1 per report, 64 connections",
    "MariaDB: returns, 1 per report, 64 connections",
    "MariaDB: returns, 1 per report, 64 connections, 2 processes",
    "Galera, 3 nodes: returns, 64 connections, 2 processes",
    "1,000,000 frames submitted, SQLite",
    "1,000,000 frames submitted, MariaDB",
    "10,000 slaves: server memory",
    "10,000 slaves: p99 of a heartbeat's answer",
    "10,000 slaves: 1,000 idle slots filled",
    "SQLite: returns with 10,000,000 finished attempts kept",
    "the demo's 120 frames: blender -a",
    "the demo's 120 frames: a process per frame",
    "the demo's 120 frames: this farm, 1 slave",
    "the demo's 120 frames: this farm, 2 slaves",
    "upload of 1 GB ÷ cp + sha256sum",
    "the same project again: seconds",
)
"""What the README shows, if it was measured."""


def main() -> None:
    """Write plots, page and README."""
    known = figures()
    rows = list(known.values())
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "speed-ratios.svg").write_text(chart("Measured side by side (dashed: the goal)", ratios(rows)), "utf-8")
    (IMAGES / "speed-peers.svg").write_text(
        chart("Beside other farms (logarithmic scale)", peers(rows), log=True), "utf-8"
    )
    if instead := choices(rows):
        (IMAGES / "speed-choices.svg").write_text(chart("The demo's 120 frames, on one machine", instead), "utf-8")
    steps = [("gap between frames", "gap between frames on a slot")]
    steps += [(step, f"small frame: {step}") for step in ("prepare", "render", "write")]
    pieces = [(label, known[name]["value"]) for label, name in steps if name in known]
    (IMAGES / "speed-frame.svg").write_text(stack("Where a slot's time goes, small frames", pieces, "ms"), "utf-8")
    PAGE.write_text(between(PAGE.read_text("utf-8"), table(rows, notes=True)), "utf-8")
    short = [known[name] for name in SHORT if name in known]
    README.write_text(between(README.read_text("utf-8"), table(short, notes=False)), "utf-8")


if __name__ == "__main__":
    main()
