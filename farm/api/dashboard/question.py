"""What a person is asked before something is destroyed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Question:
    """A page that asks.

    Args:
        verb: what would be done, in a word; it is the button's value, too.
        title: the question.
        consequence: what becomes of it, in a sentence or two.
        action: where a yes goes.
        back: where a no goes.
        links: what it is about, name and address.
        fields: what a yes carries besides, name and value.
        word: how the button says the verb; empty: as it is.
    """

    verb: str
    title: str
    consequence: str
    action: str
    back: str
    links: Sequence[tuple[str, str]] = ()
    fields: Sequence[tuple[str, str]] = field(default=())
    word: str = ""
