"""Plots as plain SVG that follows the reader's light or dark theme."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABELS, BAR, GAP, HEAD = 880, 420, 18, 10, 44

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.faint { fill: #656d76 }
.ours { fill: #1a7f37 } .theirs { fill: #8c959f } .missed { fill: #bc4c00 }
.goal { stroke: #24292f; stroke-dasharray: 3 2 }
.part0 { fill: #cf222e } .part1 { fill: #0969da } .part2 { fill: #1a7f37 } .part3 { fill: #9a6700 }
.part4 { fill: #8250df } .grid { stroke: #d0d7de }
.line0 { stroke: #cf222e } .line1 { stroke: #0969da } .line2 { stroke: #1a7f37 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .faint { fill: #8d96a0 } .goal { stroke: #e6edf3 }
  .ours, .part2 { fill: #3fb950 } .theirs { fill: #6e7681 } .missed { fill: #db6d28 }
  .part0 { fill: #f85149 } .part1 { fill: #4493f8 } .part3 { fill: #d29922 }
  .part4 { fill: #a371f7 } .grid { stroke: #30363d }
  .line0 { stroke: #f85149 } .line1 { stroke: #4493f8 } .line2 { stroke: #3fb950 }
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


def curves(
    title: str,
    curves: Mapping[str, Sequence[tuple[float, float]]],
    unit: str,
    along: str,
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """Return one or more curves from zero up, with the highest value of each beside its name.

    Args:
        title: what is shown.
        curves: name → points, each x and y.
        unit: of y.
        along: what x is.
        marks: what happened, and at which x.
    """
    points = [point for curve in curves.values() for point in curve]
    right, top = max((x for x, _ in points), default=1) or 1, max((y for _, y in points), default=1) or 1
    left, high, bottom = 60, 66, 280

    def across(x: float) -> float:
        return left + (WIDTH - left - 20) * x / right

    def up(y: float) -> float:
        return bottom - (bottom - high) * y / top

    parts = [f'<text class="title" x="8" y="20">{escape(title)}</text>']
    for value in _steps(top):
        y = up(value)
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="faint" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{_told(value)}</text>')
    for value in _steps(right):
        x, y = across(value), bottom + 18
        parts.append(f'<text class="faint" x="{x:.1f}" y="{y}" text-anchor="middle">{_told(value)}</text>')
    parts.append(f'<text class="faint" x="{WIDTH / 2}" y="{bottom + 36}" text-anchor="middle">{escape(along)}</text>')
    for at, name in marks:
        x = across(at)
        parts.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{high}" y2="{bottom}"/>')
        turned = f'transform="translate({x + 12:.1f} {high + 2}) rotate(-90)" text-anchor="end"'
        parts.append(f'<text class="faint" {turned}>{escape(name)}</text>')
    x = 8
    for number, (name, curve) in enumerate(curves.items()):
        text = f"{name}: at most {_told(max((y for _, y in curve), default=0))} {unit}".strip()
        parts.append(f'<rect class="part{number}" x="{x}" y="34" width="12" height="12"/>')
        parts.append(f'<text x="{x + 18}" y="45">{escape(text)}</text>')
        way = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in curve)
        parts.append(f'<polyline class="line{number}" fill="none" stroke-width="2" points="{way}"/>')
        x += 40 + round(7 * len(text))
    return svg(title, parts, bottom + 46)


def _steps(most: float) -> list[float]:
    """Return round numbers from zero up to the most, three to five of them."""
    size: float = 10 ** math.floor(math.log10(most / 4))
    step = next(size * by for by in (1, 2, 5, 10) if size * by >= most / 4 * (1 - 1e-9))
    return [step * number for number in range(int(most / step + 1e-9) + 1)]


def _told(value: float) -> str:
    """Return a number as it is told beside a curve."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.4g}"


def below(title: str, pictures: Sequence[str]) -> str:
    """Return one picture of several, one below the other."""
    parts, y = [], 0
    for picture in pictures:
        height = int(picture.partition(f'viewBox="0 0 {WIDTH} ')[2].partition('"')[0])
        place = f'<svg x="0" y="{y}" width="{WIDTH}" height="{height}"'
        parts.append(picture.replace("<svg", place, 1).replace(f"<style>{_STYLE}</style>", "", 1))
        y += height
    return svg(title, parts, y)


def svg(title: str, parts: Iterable[str], height: int) -> str:
    """Return a picture of these parts that follows the reader's theme."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
    return f'{head} aria-label="{escape(title)}">\n<style>{_STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
