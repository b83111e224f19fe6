"""Put what `make bench` measured into the documentation: `python -m tests.bench.plots`.

Tables and plots are written from `build/bench.json`, so that no figure is copied by hand. Plots are
plain SVG that follows the reader's light or dark theme.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tests.bench.entry import OUT
from tests.bench.page import between, read, signed, table

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "explanation" / "measured.md"
README = ROOT / "README.md"
WIDTH, LABELS, BAR, GAP, HEAD = 880, 420, 18, 10, 44

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.faint { fill: #656d76 }
.ours { fill: #1a7f37 } .theirs { fill: #8c959f } .missed { fill: #bc4c00 }
.goal { stroke: #24292f; stroke-dasharray: 3 2 }
.part0 { fill: #cf222e } .part1 { fill: #0969da } .part2 { fill: #1a7f37 } .part3 { fill: #9a6700 }
.part4 { fill: #8250df } .grid { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .faint { fill: #8d96a0 } .goal { stroke: #e6edf3 }
  .ours, .part2 { fill: #3fb950 } .theirs { fill: #6e7681 } .missed { fill: #db6d28 }
  .part0 { fill: #f85149 } .part1 { fill: #4493f8 } .part3 { fill: #d29922 }
  .part4 { fill: #a371f7 } .grid { stroke: #30363d }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what, how much, the text behind it, its colour, and where the goal is."""

    label: str
    value: float
    text: str
    kind: str = "ours"
    goal: float | None = None


def chart(title: str, bars: Sequence[Bar], *, log: bool = False) -> str:
    """Return horizontal bars; `log`: each step of the scale is ten times the one before."""
    values = [v for bar in bars for v in (bar.value, bar.goal) if v]
    low, high = (min(values) / 2, max(values)) if log else (0.0, max(values))
    room = WIDTH - LABELS - 150

    def place(value: float) -> float:
        share = math.log(max(value, low) / low) / math.log(high / low) if log else value / high
        return max(1.0, room * share)

    parts = [f'<text class="title" x="8" y="20">{escape(title)}</text>']
    for number, bar in enumerate(bars):
        y = HEAD + number * (BAR + GAP)
        parts.append(f'<text x="{LABELS - 8}" y="{y + 13}" text-anchor="end">{escape(bar.label)}</text>')
        parts.append(f'<rect class="{bar.kind}" x="{LABELS}" y="{y}" width="{place(bar.value):.1f}" height="{BAR}"/>')
        end = place(bar.value)
        if bar.goal:
            x = LABELS + place(bar.goal)
            parts.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 3}" y2="{y + BAR + 3}"/>')
            end = max(end, place(bar.goal))
        parts.append(f'<text class="faint" x="{LABELS + end + 6:.1f}" y="{y + 13}">{escape(bar.text)}</text>')
    return svg(title, parts, HEAD + len(bars) * (BAR + GAP))


def stack(title: str, pieces: Sequence[tuple[str, float]], unit: str) -> str:
    """Return one bar of pieces, with a line of text for each."""
    total = sum(value for _, value in pieces)
    parts, x = [f'<text class="title" x="8" y="20">{escape(title)}</text>'], 8.0
    for number, (name, value) in enumerate(pieces):
        width = (WIDTH - 16) * value / total
        parts.append(f'<rect class="part{number}" x="{x:.1f}" y="36" width="{width:.1f}" height="26"/>')
        y = 84 + number * 20
        parts.append(f'<rect class="part{number}" x="8" y="{y - 10}" width="12" height="12"/>')
        text = f"{name}: {value:,.1f} {unit} ({value / total:.0%})"
        parts.append(f'<text x="28" y="{y}">{escape(text)}</text>')
        x += width
    return svg(title, parts, 84 + len(pieces) * 20)


def svg(title: str, parts: Iterable[str], height: int) -> str:
    """Return a picture of these parts that follows the reader's theme."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
    return f'{head} aria-label="{escape(title)}">\n<style>{_STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"


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
    steps = [("gap between frames", "gap between frames on a slot")]
    steps += [(step, f"small frame: {step}") for step in ("prepare", "render", "write")]
    pieces = [(label, known[name]["value"]) for label, name in steps if name in known]
    (IMAGES / "speed-frame.svg").write_text(stack("Where a slot's time goes, small frames", pieces, "ms"), "utf-8")
    PAGE.write_text(between(PAGE.read_text("utf-8"), table(rows, notes=True)), "utf-8")
    short = [known[name] for name in SHORT if name in known]
    README.write_text(between(README.read_text("utf-8"), table(short, notes=False)), "utf-8")


if __name__ == "__main__":
    main()
