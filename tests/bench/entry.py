"""One measured figure, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

OUT = Path("build/bench.json")


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure.

    Args:
        name: what was measured, in words.
        value: the figure.
        unit: its unit.
        goal: what it should be, as `<= 1.05` or `>= 3000`; empty: for the record.
        peer: another farm's figure.
        command: what measures just this.
        note: under which conditions.
    """

    name: str
    value: float
    unit: str
    goal: str = ""
    peer: str = ""
    command: str = ""
    note: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether the goal is met; None: there is none."""
        if not self.goal:
            return None
        sign, number = self.goal.split()
        return self.value <= float(number) if sign == "<=" else self.value >= float(number)


def show(entries: Iterable[Entry]) -> None:
    """Print a table."""
    table = Table(title="DistRen, measured")
    for heading in ("what", "value", "unit", "goal", "ok", "peer", "note"):
        table.add_column(heading, justify="right" if heading == "value" else "left", overflow="fold")
    for entry in entries:
        ok = {True: "yes", False: "NO", None: ""}[entry.ok]
        table.add_row(entry.name, f"{entry.value:,.3g}" if entry.value < 1000 else f"{entry.value:,.0f}",
                      entry.unit, entry.goal, ok, entry.peer, entry.note)  # fmt: skip
    Console().print(table)


def save(entries: Iterable[Entry], out: Path = OUT) -> None:
    """Write all figures; those that were not measured in this run stay as they were."""
    old = {row["name"]: row for row in json.loads(out.read_text())} if out.exists() else {}
    new = {entry.name: asdict(entry) | {"ok": entry.ok} for entry in entries}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(list((old | new).values()), indent=1, ensure_ascii=False) + "\n")
