"""The table of figures in the documentation: written by `make plots`, and read again, so that measuring a part of
what there is keeps the figures of the others, also in a clone that has measured nothing before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

BEGIN, END = "<!-- figures: written by make plots -->\n", "<!-- end of figures -->"
_MET = {True: "yes", False: "**no**", None: ""}


def table(rows: Iterable[dict[str, Any]], *, notes: bool) -> str:
    """Return the figures as a table of Markdown."""
    titles = ["what", "measured", "goal", "met", "others"] + (["how"] if notes else [])
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    for row in rows:
        value = f"{row['value']:,.3g}" if abs(row["value"]) < 1000 else f"{row['value']:,.0f}"
        busy = "" if notes or "load average" not in row["note"] else " (on a busy machine)"
        cells = [row["name"], f"{value} {row['unit']}{busy}", signed(row["goal"]), _MET[row["ok"]], row["peer"]]
        lines.append("| " + " | ".join(cells + ([row["note"]] if notes else [])) + " |")
    return "\n".join(lines) + "\n"


def read(page: str) -> Iterator[dict[str, Any]]:
    """Yield the figures of a page whose table has notes."""
    lines = page.partition(BEGIN)[2].partition(END)[0].splitlines()
    for line in lines[2:]:
        name, measured, goal, met, peer, note = (cell.strip() for cell in line.strip("|").split("|"))
        value, _, unit = measured.partition(" ")
        ok = next(known for known, word in _MET.items() if word == met)
        goal = goal.replace("≤", "<=").replace("≥", ">=")
        yield {
            "name": name,
            "value": float(value.replace(",", "")),
            "unit": unit,
            "goal": goal,
            "ok": ok,
            "peer": peer,
            "note": note,
        }


def between(page: str, new: str) -> str:
    """Return a page with its table replaced."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{new}{END}{rest.partition(END)[2]}"


def signed(goal: str) -> str:
    """Return a goal as people write it."""
    return goal.replace("<=", "≤").replace(">=", "≥")
