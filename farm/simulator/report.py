"""What a simulation has to tell: a folder with a page, plots and figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from farm.simulator.days import Day, Hour
from farm.simulator.drill import Drill, Sample
from farm.simulator.faults import FAULTS
from farm.simulator.population import Plan
from farm.simulator.svg import below, curves

MB = 1e6
SHOWN = ("attempt", "blob", "event", "frame", "job", "posting", "resultfile")
"""Tables whose rows are told."""

_STYLE = """<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem }
dt { opacity: .7 } dd { margin: 0 } figure { margin: 2rem 0 }
.well, .bad { font-weight: 600 } .well { color: light-dark(#1a7f37, #3fb950) }
.bad { color: light-dark(#cf222e, #f85149) }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 14px }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8885; white-space: nowrap }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .6rem; background: #8882 }
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr } dd { margin: 0 0 .4rem }
  figure { margin: 2rem 0; overflow-x: auto } figure svg { min-width: 40rem }
}
</style>"""


@dataclass(frozen=True, slots=True)
class Account:
    """A report.

    Args:
        title: one line.
        ran: what was run, in words.
        facts: name → value.
        violations: what must never be, but was.
        again: the command that does the same.
        table: heading and rows.
        plots: file name → SVG.
        figures: all of it for programs.
    """

    title: str
    ran: str
    facts: Mapping[str, str]
    violations: Sequence[str]
    again: str
    table: Sequence[Sequence[str]] = ()
    plots: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the page."""
        verdict = ["**All invariants held.**"]
        if self.violations:
            verdict = [f"**{len(self.violations)} violations:**", "", *(f"- {one}" for one in self.violations)]
        facts = [f"| {name} | {value} |" for name, value in self.facts.items()]
        plots = [f"![{name.removesuffix('.svg')}]({name})" for name in self.plots]
        again = ["Again, with the same chances:", "", f"    {self.again}"]
        parts = [
            [f"# {self.title}"],
            [self.ran],
            verdict,
            ["| | |", "|---|---|", *facts],
            _table(self.table),
            plots,
            again,
        ]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"

    def html(self) -> str:
        """Return the page for a browser, with its plots in it."""
        verdict = "<p class=well>All invariants held.</p>"
        if self.violations:
            listed = "".join(f"<li>{escape(one)}</li>" for one in self.violations)
            verdict = f"<p class=bad>{len(self.violations)} violations:</p><ul>{listed}</ul>"
        facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in self.facts.items())
        table = "".join(_html_row(row, "td" if place else "th") for place, row in enumerate(self.table))
        plots = "".join(f"<figure>{plot}</figure>" for plot in self.plots.values())
        return (
            "<!doctype html><html lang=en><meta charset=utf-8>"
            "<meta name=viewport content='width=device-width, initial-scale=1'>"
            f"<title>{escape(self.title)}</title>{_STYLE}"
            f"<h1>{escape(self.title)}</h1><p>{escape(self.ran)}</p>{verdict}<dl>{facts}</dl>{plots}"
            f"<div class=wide><table>{table}</table></div>"
            f"<p>Again, with the same chances:</p><pre>{escape(self.again)}</pre></html>\n"
        )


def write(account: Account, folder: Path) -> Path:
    """Write a report into a folder; return its page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in account.plots.items():
        (folder / name).write_text(plot, "utf-8")
    figures = {"violations": list(account.violations), "command": account.again, **account.figures}
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    (folder / "report.md").write_text(account.markdown(), "utf-8")
    page = folder / "report.html"
    page.write_text(account.html(), "utf-8")
    return page


def _html_row(row: Sequence[str], kind: str) -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in row)}</tr>"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], f"|{'---:|' * len(rows[0])}", *lines[1:]]


def of_drill(drill: Drill, again: str) -> Account:
    """Return the report of a run over HTTP."""
    what, seen = drill.scenario, drill.samples
    done = [(sample.at, float(sample.done)) for sample in seen]
    each = [(b.at, (b.done - a.done) / max(b.at - a.at, 1e-3)) for a, b in pairwise(seen)]
    facts = {
        "frames rendered": f"{drill.witness.rendered:,}",
        "seconds": f"{drill.took:.0f}",
        "frames per second": f"{drill.witness.rendered / max(drill.took, 1e-3):.1f}",
        "audits": str(drill.audits),
        "files fetched and compared": drill.fetched.said,
        **_memory(seen),
        **{f"fault at {at:.0f} s": f"{name}: {FAULTS[name].what}" for at, name in drill.happened},
        **{f"not done: {name}": why for name, why in drill.site.undone.items()},
    }
    ran = (
        f"{what.slaves:,} pretend slaves over real HTTP at {drill.site.where}, {what.users} users, {what.waves} waves "
        f"of {what.users * what.jobs} jobs with {what.frames} frames each. {_manner(what.manner)} Seed {what.seed}."
    )
    plots = {
        "frames.svg": curves("Frames done", {"frames": done}, "", "seconds", drill.happened),
        "rate.svg": curves("Frames done in a second", {"frames/s": each}, "frames/s", "seconds", drill.happened),
        **_sizes(seen, drill.happened),
    }
    figures = {"scenario": asdict(what), "samples": [asdict(sample) for sample in seen], "faults": drill.happened}
    return Account("A simulated farm over HTTP", ran, facts, drill.witness.violations, again, (), plots, figures)


def _memory(seen: Sequence[Sample]) -> dict[str, str]:
    most = max((sample.memory for sample in seen), default=0)
    return {"the server's memory, at most": f"{most / MB:.0f} MB"} if most else {}


def _sizes(seen: Sequence[Sample], faults: Sequence[tuple[float, str]]) -> dict[str, str]:
    """Return the plot of how large the server and its database were, of what is known of that."""
    lines = {
        "memory": [(sample.at, sample.memory / MB) for sample in seen],
        "database": [(sample.at, sample.database / MB) for sample in seen],
    }
    known = {name: line for name, line in lines.items() if any(value for _, value in line)}
    return {"memory.svg": curves("The server", known, "MB", "seconds", faults)} if known else {}


def _manner(manner: Any) -> str:
    return (
        f"A frame takes {manner.seconds:g} s ± {manner.spread:.0%}, slaves differ by ± {manner.speeds:.0%}; "
        f"{manner.failures:.1%} of tries fail, at {manner.deaths:.2%} of frames a slave dies, after {manner.late:.2%} "
        f"it can't be reached for {manner.away:g} s; messages take up to {1000 * manner.delay:.0f} ms."
    )


def of_week(
    plan: Plan, days: Sequence[Day], hours: Sequence[Hour], rendered: int, violations: Sequence[str], again: str
) -> Account:
    """Return the report of a run in virtual time."""
    cpu, each = sum(day.cpu for day in days), max(1, sum(day.frames for day in days))
    facts = {
        "frames rendered": f"{rendered:,}",
        "server crashes": str(plan.crashes * plan.days),
        "CPU time of this process": f"{cpu:.0f} s, {1000 * cpu / each:.2f} ms a frame",
    }
    ran = (
        f"{plan.days} days in virtual time at the farm's real scheduler and SQLite database, without HTTP: "
        f"{plan.slaves:,} slaves of one slot, {plan.users} users, {plan.frames:,} frames, "
        f"{plan.failures:.1%} failures, crashes of the server in the middle of a transaction: {plan.crashes} a day. "
        f"Seed {plan.seed}."
    )
    head = ("day", "frames", "failures", "waiting", "busy", "memory", "database", "CPU", *SHOWN)
    body = [day_row(day) for day in days]
    rows = curves("Rows at the end of each day", _rows(days), "rows", "days")
    plots = {"week.svg": below(f"{plan.days} days of a simulated farm", [*_by_hours(hours), rows])}
    figures = {"plan": asdict(plan), "days": [asdict(day) for day in days], "hours": [asdict(h) for h in hours]}
    return Account("A simulated farm in virtual time", ran, facts, violations, again, (head, *body), plots, figures)


def _by_hours(hours: Sequence[Hour]) -> list[str]:
    """Return the plots of what was measured each hour."""

    def line(value: Callable[[Hour], float]) -> list[tuple[float, float]]:
        return [(hour.number / 24, value(hour)) for hour in hours]

    size = {"memory": line(lambda h: h.memory / MB), "database": line(lambda h: h.database / MB)}
    each = {"CPU time a frame": line(lambda h: 1000 * h.cpu / h.frames if h.frames else 0.0)}
    waited = {"longest wait": line(lambda h: h.waited)}
    return [
        curves("Frames done in an hour", {"frames": line(lambda h: h.frames)}, "", "days"),
        curves("Frames that wait or are rendered", {"frames": line(lambda h: h.waiting)}, "", "days"),
        curves("From a job's arrival to its first frame, the longest of each hour", waited, "s", "days"),
        curves("Memory and database", size, "MB", "days"),
        curves("CPU time of scheduler, database and simulation", each, "ms", "days"),
    ]


def _rows(days: Sequence[Day]) -> dict[str, list[tuple[float, float]]]:
    """Return the curves of rows that stay, and of those that may grow."""
    named = ("attempt", "event", "posting")
    return {name: [(float(day.number), float(day.rows.get(name, 0))) for day in days] for name in named}


def day_row(day: Day) -> list[str]:
    """Return what is told of a day."""
    counted = [f"{day.rows.get(name, 0):,}" for name in SHOWN]
    size = [f"{day.memory / MB:.0f} MB", f"{day.database / MB:.1f} MB", f"{day.cpu:.0f} s"]
    return [
        str(day.number),
        f"{day.frames:,}",
        f"{day.failed:,}",
        f"{day.waiting:,}",
        f"{day.busy:.0%}",
        *size,
        *counted,
    ]
