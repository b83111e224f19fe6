"""Why a row of the ledger has its amount: recomputed from its inputs, and in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from farm.accounts.formula import FEWEST, TIP, bounded, burnt, median, points, tip, worth
from farm.accounts.ledger import Kind
from farm.words.clock import SECOND

Inputs = Mapping[str, Any]
"""cpu and said in µs, power in thousandths, near: pairs of frame and worth, boost, left: thousandths of points."""


def recomputed(kind: Kind, inputs: Inputs) -> int | None:
    """Return the amount that the inputs give; None for rows whose amount a person chose.

    Raises:
        KeyError, TypeError, ValueError: these are no inputs of such a row.
    """
    formula = _FORMULAS.get(kind)
    return formula(inputs) if formula else None


def _earned(inputs: Inputs) -> int:
    return bounded(_worth(inputs), inputs["near"])


def _half(inputs: Inputs) -> int:
    return min(_worth(inputs), _earned(inputs)) // 2


def _burnt(inputs: Inputs) -> int:
    return burnt(inputs["cpu"], inputs["power"], inputs["boost"], inputs["left"])


def _worth(inputs: Inputs) -> int:
    return worth(int(inputs["cpu"]), int(inputs["power"]))


_FORMULAS: dict[Kind, Callable[[Inputs], int]] = {
    Kind.EARNED: _earned,
    Kind.FORFEIT: lambda inputs: min(int(inputs["earned"]), int(inputs["left"])),
    Kind.HALF: _half,
    Kind.TIP: lambda inputs: tip(_burnt(inputs)),
    Kind.GONE: lambda inputs: _burnt(inputs) - tip(_burnt(inputs)),
}


def words(kind: Kind, inputs: Inputs) -> str:
    """Return the reason of a row, with all that is needed to compute its amount by hand."""
    if kind in (Kind.TIP, Kind.GONE):
        return _burnt_words(kind, inputs)
    if kind in (Kind.EARNED, Kind.HALF):
        return _earned_words(kind, inputs)
    if kind is Kind.FORFEIT:
        text = f"{points(inputs['earned'])} were earned for a frame that nobody checked; its slave drew {inputs['why']}"
        return text + (f"; {points(inputs['left'])} were left" if inputs["left"] < inputs["earned"] else "")
    if kind is Kind.ESCROW:
        return f"kept for the job, to render it {inputs.get('boost', 0)} times as much sooner"
    return str(inputs.get("why", "left over"))


def _earned_words(kind: Kind, inputs: Inputs) -> str:
    text = _measure(inputs)
    if inputs["said"] > inputs["cpu"]:
        text += f" (it said {inputs['said'] / SECOND:.3f} s, more than its processors could have had)"
    near = inputs["near"]
    if len(near) >= FEWEST:
        middle = median(amount for _, amount in near)
        shown = ", ".join(f"{points(amount)} of {frame}" for frame, amount in near)
        text += f"; frames nearby: {shown}: median {points(middle)}"
        if bounded(_worth(inputs), near) != _worth(inputs):
            text += f", so between {points(middle // 2)} and {points(middle * 3 // 2)}"
    return text + ("; half, for the job's own fault" if kind is Kind.HALF else "")


def _measure(inputs: Inputs) -> str:
    """Return time × power as people write it: `240.000 s × 1.250 / 60 = 5.000`."""
    spent = f"{inputs['cpu'] / SECOND:.6f}".rstrip("0").rstrip(".")
    return f"{spent} CPU-seconds × power {points(inputs['power'])} / 60 = {points(_worth(inputs))}"


def _burnt_words(kind: Kind, inputs: Inputs) -> str:
    whole = _burnt(inputs)
    text = f"{_measure(inputs)} × boost {inputs['boost']} = {points(_worth(inputs) * inputs['boost'])}"
    if whole == inputs["left"]:
        text += f"; {points(whole)} were left"
    return f"{text}; {TIP if kind is Kind.TIP else 100 - TIP} % of it"
