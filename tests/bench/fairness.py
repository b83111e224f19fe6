"""Compare rules of who is next on a synthetic month, and put what comes out into the documentation: `make fairness`.

In virtual time, so that the machine does not matter: the same seed gives the same page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from statistics import mean, quantiles

from farm.scheduler.policy import Policy
from farm.simulator.measures import Treatment, Waits, waits
from farm.simulator.month import HOUR, PEOPLE, month
from farm.simulator.rules import Fair, HighestPriority, MostPoints, Need
from farm.simulator.svg import WIDTH, Bar, chart, svg
from farm.simulator.virtual import Farm, Rule
from tests.bench.page import between
from tests.bench.plots import IMAGES, ROOT

PAGE = ROOT / "docs" / "explanation" / "fairness.md"
RULES: dict[str, Callable[[int], Rule]] = {
    "DistRen": lambda slots: Fair(slots=slots),
    "DistRen, profile open": lambda slots: Fair(Policy(strangers=True), slots),
    "highest priority first (Flamenco)": lambda _: HighestPriority(),
    "most need first (Afanasy)": lambda _: Need(),
    "most points first (SheepIt)": lambda _: MostPoints(),
}
MINUTE = HOUR / 60
LEFT, ROW, TOP = 270, 26, 66


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule made of the month: how its users waited, and Jain's index of its hours."""

    waits: Mapping[int, Waits]
    indexes: Sequence[float]

    @property
    def worst(self) -> float:
        """The index that one hour in twenty falls short of."""
        return quantiles(self.indexes, n=20)[0]


def outcome(rule: Callable[[int], Rule], days: int = 30, load: float = 0.9, seed: int = 1) -> Outcome:
    """Play the month by a rule."""
    made, seen = month(days, load, seed), Treatment()
    Farm(made.slots, rule(len(made.slots)), seen, seed).run(made.jobs)
    return Outcome(waits(made.jobs, seen.gaps), [index for _, index in seen.index()])


def dots(title: str, rows: Mapping[str, Sequence[float]], names: Sequence[str], unit: str) -> str:
    """Return a row for each person with a dot for each rule, on a logarithmic scale."""
    high = max(max(values) for values in rows.values())
    decades = math.ceil(math.log10(high))
    room = WIDTH - LEFT - 30

    def place(value: float) -> float:
        return LEFT + room * (math.log10(max(value, 0.1)) + 1) / (decades + 1)

    parts = [f'<text class="title" x="8" y="20">{escape(title)}</text>', *_legend(names)]
    bottom = TOP + len(rows) * ROW
    for power in range(-1, decades + 1):
        x = place(10**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}"/>')
        text = f"≤ 0.1 {unit}" if power < 0 else f"{10**power:,}"
        parts.append(f'<text class="faint" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{text}</text>')
    for number, (name, values) in enumerate(rows.items()):
        y = TOP + number * ROW + ROW / 2 - 4
        parts.append(f'<text x="{LEFT - 34}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        for kind, value in reversed(list(enumerate(values))):
            parts.append(f'<circle class="part{kind}" cx="{place(value):.1f}" cy="{y}" r="6" opacity="0.85"/>')
    return svg(title, parts, bottom + 26)


def _legend(names: Sequence[str]) -> Iterable[str]:
    x = 8
    for kind, name in enumerate(names):
        yield f'<circle class="part{kind}" cx="{x + 6}" cy="42" r="6"/><text x="{x + 17}" y="46">{escape(name)}</text>'
        x += 30 + round(6.1 * len(name))


def table(found: Mapping[str, Outcome]) -> str:
    """Return what came out as Markdown."""
    lines = [
        "| rule | Jain's index, mean | one hour in 20 below | longest without a frame | whose |",
        "|---|---|---|---|---|",
    ]
    for name, got in found.items():
        user = max(got.waits, key=lambda one: got.waits[one].gap)
        gap = got.waits[user].gap / HOUR
        lines.append(f"| {name} | {mean(got.indexes):.2f} | {got.worst:.2f} | {_span(gap)} | {PEOPLE[user].name} |")
    lines += ["", "Median from sending a job to its first frame's begin, and to its last frame's end:", ""]
    lines += ["| who | " + " | ".join(found) + " |", "|---|" + "---|" * len(found)]
    for user in next(iter(found.values())).waits:
        pairs = [(got.waits[user].first / HOUR, got.waits[user].whole / HOUR) for got in found.values()]
        cells = [f"{_span(first)}, {_span(whole)}" for first, whole in pairs]
        lines.append(f"| {PEOPLE[user].name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _span(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min" if hours * 60 >= 1 else f"{hours * 3600:.0f} s"


def main() -> None:
    """Write plots and page."""
    found = {name: outcome(rule) for name, rule in RULES.items()}
    people = list(enumerate(PEOPLE))
    names = list(found)
    first = {one.name: [got.waits[user].first / MINUTE for got in found.values()] for user, one in people}
    gaps = {one.name: [got.waits[user].gap / MINUTE for got in found.values()] for user, one in people}
    bars = [
        Bar(name, mean(got.indexes), f"{mean(got.indexes):.2f}", "ours" if "Dist" in name else "theirs")
        for name, got in found.items()
    ]
    texts = {
        "fairness-first.svg": dots("Minutes to the first frame of a job, median", first, names, "min"),
        "fairness-starved.svg": dots(
            "The longest that somebody wanted slots and got none, minutes", gaps, names, "min"
        ),
        "fairness-index.svg": chart("How evenly an hour is shared among who waits (Jain's index, mean)", bars),
    }
    for name, text in texts.items():
        (IMAGES / name).write_text(text, "utf-8")
    PAGE.write_text(between(PAGE.read_text("utf-8"), table(found)), "utf-8")


if __name__ == "__main__":
    main()
