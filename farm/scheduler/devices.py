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
from farm.words.backends import BACKENDS, TITLES, backends

if TYPE_CHECKING:
    from farm.scheduler.fit import Machine

Slot = Literal["", "cpu", "gpu"]
Word = Literal["", "cpu", "gpu", "optix", "cuda", "hip", "metal", "oneapi"]
"""What leases say of slots."""


def slot_for(requires: Requirement) -> Slot:
    """Return which slots may render a job; empty: all.

    Only Cycles is told what to render on: other engines draw with what the system gives them.
    """
    if not requires.engine.startswith("CYCLES") or requires.device == "any":
        return ""
    return "gpu" if on_card(requires) else "cpu"


def word_for(requires: Requirement) -> Word:
    """Return what leases of a job say of its slots: also by which way a card is to be reached, if that is demanded."""
    slot = slot_for(requires)
    return requires.device if slot == "gpu" and requires.device != "any" else slot


def slot_of(word: Word) -> Slot:
    """Return the kind of slot that a lease's word means."""
    return word if word in ("", "cpu", "gpu") else "gpu"


def on_card(requires: Requirement) -> bool:
    """Tell whether a job demands graphics cards."""
    return requires.device == "gpu" or requires.device in BACKENDS


def ways(requires: Requirement, offers: Iterable[Offer]) -> list[str]:
    """Return by which ways a slave's renderers may reach graphics cards for a job, the best first."""
    mine = [device for offer in offers if offer.method == requires.method for device in offer.devices]
    return [way for way in backends(mine) if requires.device not in BACKENDS or way == requires.device]


def rendered_on(requires: Requirement, said: str, offers: Iterable[Offer]) -> str:
    """Return by which way a frame was rendered on a graphics card; empty: on the processor, or by another engine.

    Args:
        requires: what the job needs.
        said: what the slave says; it counts only where it is possible.
        offers: the slave's renderers.
    """
    slot = slot_for(requires)
    if slot == "cpu" or not requires.engine.startswith("CYCLES"):
        return ""
    possible = ways(requires, offers)
    if said in possible:
        return said
    return possible[0] if possible and slot == "gpu" else ""


def on_it(requires: Requirement, offer: Offer) -> bool:
    """Tell whether a renderer that has the engine has the device too."""
    if requires.engine.startswith("CYCLES"):
        if on_card(requires):
            return bool(offer.devices if requires.device == "gpu" else ways(requires, [offer]))
        return offer.processor or (requires.device == "any" and bool(offer.devices))
    if requires.engine and (requires.device == "cpu" or on_card(requires)):
        return (requires.engine in offer.software) == (requires.device == "cpu")
    return True


def words(requires: Requirement) -> str:
    """Return the device that a job needs, to end a phrase with: ` on a graphics card`."""
    if on_card(requires):
        return f" on a graphics card{_by(requires)}"
    return " on the processor" if requires.device == "cpu" else ""


def advice(requires: Requirement) -> str:
    """Return what may be done if no slave has the device; empty if any will do."""
    if requires.device != "cpu" and not on_card(requires):
        return ""
    kind = "that renders on the processor" if requires.device == "cpu" else f"with a graphics card{_by(requires)}"
    other = "gpu" if requires.device != "gpu" else "cpu"
    return f"start a slave {kind}, or set device={other} (distren submit --device, distren set)."


def _by(requires: Requirement) -> str:
    return f" by {TITLES[requires.device]}" if requires.device in TITLES else ""


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
