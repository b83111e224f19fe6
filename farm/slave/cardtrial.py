"""Try graphics cards as sessions use them: in the sandbox, if there is one."""

from __future__ import annotations

from dataclasses import replace

import structlog

from farm.methods.base import Device, Launch, Offered
from farm.methods.registry import method
from farm.sandbox.wipe import wipe
from farm.slave.containment import Containment, Rooms
from farm.slave.folders import Folders

log = structlog.get_logger(__name__)


def try_card(containment: Containment, folders: Folders, offered: Offered, card: Device) -> str:
    """Render a few pixels on a card; return why that does not work, else an empty text."""
    rooms = Rooms.make(folders.sessions, "trial-")
    root = rooms.folder / "tree"
    root.mkdir()

    def around(launch: Launch) -> Launch:
        return containment.around(launch, root, rooms)

    try:
        return method(offered.offer.method).broken(offered, card, rooms.scratch, around)
    finally:
        wipe(rooms.folder)


def contained(containment: Containment, folders: Folders, found: list[Offered]) -> list[Offered]:
    """Return the renderers with those cards that work in the sandbox, too; its walls may hide a driver's files."""
    return [_contained(containment, folders, one) for one in found]


def _contained(containment: Containment, folders: Folders, one: Offered) -> Offered:
    tried = {card: try_card(containment, folders, one, card) for card in one.cards}
    reasons = [f"{card} in the sandbox: {reason}" for card, reason in tried.items() if reason]
    for reason in reasons:
        log.warning("Not offered", version=one.offer.version, reason=reason)
    good = tuple(card for card, reason in tried.items() if not reason)
    facts = {"devices": [str(card) for card in good], "cannot": [*one.offer.cannot, *reasons]}
    return replace(one, offer=one.offer.model_copy(update=facts), cards=good)
