"""Which of the graphics cards that work are used, as slave.conf says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from farm.methods.base import Device, Offered
from farm.words.backends import BACKENDS
from farm.words.errors import NotASetup
from farm.words.settings import SlaveSettings

ALL, NONE = "all", "none"


def selected(found: list[Offered], settings: SlaveSettings) -> list[Offered]:
    """Return the renderers with the cards that they are to use, by all ways that may be used, the best first.

    Raises:
        NotASetup: neither processor nor cards are left.
    """
    known = cards([card for one in found for card in one.cards])
    chosen = {card.card for number, card in enumerate(known) if _is_meant(card, number, settings.gpus)}
    missing = [f"gpus = {word}: there is no such card that works." for word in _unknown(known, settings.gpus)]
    if not settings.slots and not chosen:
        raise NotASetup(
            "slots = 0 leaves the processor out, and no graphics card is used.",
            hint="Set slots or gpus in slave.conf; `distren doctor` says which cards work.",
        )
    return [_with_cards(one, chosen, missing, settings) for one in found]


def cards(listed: Sequence[Device]) -> list[Device]:
    """Return each card once, in the order in which they are listed."""
    return list({device.card: device for device in reversed(listed)}.values())[::-1]


def in_use(offered: Sequence[Offered]) -> list[Device]:
    """Return the cards of all renderers: each is a slot."""
    return cards([card for one in offered for card in one.cards])


def way(offered: Offered, card: str, wanted: str) -> Device | None:
    """Return how a renderer is to reach a card: by the way that a job wants, else by the best; None: it can't."""
    ways = [one for one in offered.cards if one.card == card]
    return next(
        (one for one in ways if one.kind.lower() == wanted), ways[0] if ways and wanted not in BACKENDS else None
    )


def slots_of(card: Device, offered: Sequence[Offered]) -> frozenset[str]:
    """Return the words of leases that a card's slot takes: for any card, and for the ways by which it is reached."""
    return frozenset({"gpu", *(one.kind.lower() for each in offered for one in each.cards if one.card == card.card)})


def _with_cards(one: Offered, chosen: set[str], missing: list[str], settings: SlaveSettings) -> Offered:
    kinds = [kind.upper() for kind in settings.gpu_kinds]
    usable = [card for card in one.cards if card.kind in kinds and card.card in chosen]
    best = sorted(usable, key=lambda card: kinds.index(card.kind))
    facts = {
        "devices": [str(card) for card in best],
        "processor": settings.slots > 0,
        "cannot": [*one.offer.cannot, *missing],
    }
    return replace(one, offer=one.offer.model_copy(update=facts), cards=tuple(best))


def _is_meant(card: Device, number: int, words: Sequence[str]) -> bool:
    return any(_names(word, card, number) for word in words)


def _names(word: str, card: Device, number: int) -> bool:
    low = word.strip().lower()
    return low == ALL or low in (str(number), card.name.lower(), card.card.lower(), card.id.lower())


def _unknown(known: Sequence[Device], words: Sequence[str]) -> list[str]:
    plain = [word for word in words if word.strip().lower() not in (ALL, NONE)]
    return [word for word in plain if not any(_names(word, card, at) for at, card in enumerate(known))]
