"""What a job is rendered on, and which slots that may be: pure.

Pictures of processors and of graphics cards differ in their noise, so all frames of a job
are rendered on one class, unless its owner lets them mix.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer

if TYPE_CHECKING:
    from farm.scheduler.fit import Machine

Slot = Literal["", "cpu", "gpu"]


def slot_for(requires: Requirement) -> Slot:
    """Return which slots may render a job; empty: all.

    Only Cycles is told what to render on: other engines draw with what the system gives them.
    """
    if not requires.engine.startswith("CYCLES") or requires.device == "any":
        return ""
    return "gpu" if requires.device == "gpu" else "cpu"


def on_it(requires: Requirement, offer: Offer) -> bool:
    """Tell whether a renderer that has the engine has the device too."""
    if requires.engine.startswith("CYCLES"):
        on = {"gpu": bool(offer.devices), "any": bool(offer.devices) or offer.processor}
        return on.get(requires.device, offer.processor)
    if requires.device in ("cpu", "gpu") and requires.engine:
        return (requires.engine in offer.software) == (requires.device == "cpu")
    return True


def words(requires: Requirement) -> str:
    """Return the device that a job needs, to end a phrase with: ` on a graphics card`."""
    return {"gpu": " on a graphics card", "cpu": " on the processor"}.get(requires.device, "")


def advice(requires: Requirement) -> str:
    """Return what may be done if no slave has the device; empty if any will do."""
    others = {"gpu": "a slave with a graphics card", "cpu": "a slave that renders on the processor"}
    if requires.device not in others:
        return ""
    other = "cpu" if requires.device == "gpu" else "gpu"
    return f"start {others[requires.device]}, or set device={other} (distren submit --device, distren set)."


def in_software(requires: Requirement, offers: Iterable[Offer]) -> bool:
    """Tell whether all of these renderers, which fit, would draw without a graphics card."""
    fitting = [offer for offer in offers if offer.method == requires.method and requires.engine in offer.engines]
    return bool(fitting) and all(requires.engine in offer.software for offer in fitting)


def yields(requires: Requirement, slave: Machine, able: Sequence[Machine]) -> bool:
    """Tell whether a slave leaves a job to others: it would draw it in software, and one has a graphics card.

    Args:
        requires: what the job needs.
        slave: who asks; it fits.
        able: the live slaves that fit.
    """
    if requires.device == "cpu" or not requires.engine or not in_software(requires, slave.offers):
        return False
    return any(not in_software(requires, machine.offers) for machine in able if machine.id != slave.id)


@dataclass(slots=True)
class Room:
    """The slots that wait for frames: the processor's, and the graphics cards'."""

    cpu: int
    gpu: int

    def free(self, slot: Slot) -> int:
        """Return how many of them may render something."""
        return {"cpu": self.cpu, "gpu": self.gpu}.get(slot, self.cpu + self.gpu)

    def take(self, slot: Slot, count: int) -> None:
        """Fill some, as far as there are some: what may go anywhere, goes to graphics cards first."""
        on_cards = 0 if slot == "cpu" else min(self.gpu, count)
        self.gpu -= on_cards
        if slot != "gpu":
            self.cpu = max(self.cpu - (count - on_cards), 0)
