"""What a boost costs and gives, in words: the add-on and the command say the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MOST = 15
"""The highest boost; the server's."""


def amount(milli: int) -> str:
    """Return points as people write them."""
    return f"{milli / 1000:,.3f}".rstrip("0").rstrip(".")


def told(view: dict[str, Any], span: Callable[[float], str]) -> str:
    """Return what is said before points are spent.

    Args:
        view: the server's answer to the question.
        span: writes seconds as people do.
    """
    if lacks(view):
        return f"You have {amount(_has(view))} points, not {view['points']}."
    frames, lasts = view["frames_left"], view["frames_boosted"]
    which = f"all {frames}" if lasts >= frames else f"{lasts} of {frames}"
    text = f"About {amount(view['cost_milli'])} of your {amount(view['balance_milli'])} points will be used, "
    return f"{text}for {which} frames. {_sooner(view['eta_seconds'], view['boosted_eta_seconds'], span)}"


def lacks(view: dict[str, Any]) -> bool:
    """Tell whether there are fewer points than are wanted; those that the job has already count."""
    return bool(view["points"] * 1000 > _has(view))


def _has(view: dict[str, Any]) -> int:
    return int(view["balance_milli"] + view["escrow_milli"])


def _sooner(plain: float | None, boosted: float | None, span: Callable[[float], str]) -> str:
    if plain is None or boosted is None:
        return "When it will be done can't be said: no slave that fits is awake."
    if plain - boosted < 1:
        return "The job will be done no sooner: nobody else's is before it."
    return f"The job will be done in {span(boosted)}, {span(plain - boosted)} sooner."
