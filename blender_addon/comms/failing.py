"""What failed, in words: each reason once, with the frames that it is of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .. import frames

LOOKED_AT = 200
"""Failed frames that are asked for."""

_OF_ONE = re.compile(r"Frame \d+ of job \d+: ")

NAMED = 4
"""Reasons that are named."""


def sentences(failed: Iterable[dict[str, Any]]) -> list[str]:
    """Return a sentence for each reason, `Frames 3-9: …`.

    Args:
        failed: frames as the server tells them.
    """
    found: dict[str, list[int]] = {}
    for frame in failed:
        found.setdefault(_reason(frame["message"]) or "no reason is known.", []).append(frame["picture"])
    return [f"{_which(pictures)}: {reason}" for reason, pictures in list(found.items())[:NAMED]]


def reasons(view: dict[str, Any], told: list[str]) -> list[str]:
    """Return why a job is as it is: what is said of itself, unless its frames say the same.

    Args:
        view: the job, as the server tells it.
        told: what is known of its failed frames.
    """
    of_frames = told if view["counts"]["failed"] else []
    own = view.get("message") or ""
    known = any(_reason(own) in text for text in of_frames)
    return [*([own] if own and not known else []), *of_frames]


def _reason(message: str) -> str:
    """Return a message without the one frame that it begins with."""
    return _OF_ONE.sub("", message)


def _which(pictures: list[int]) -> str:
    return f"Frame{'' if len(set(pictures)) == 1 else 's'} {frames.text(pictures)}"
