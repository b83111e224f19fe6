"""Which slave can render which job: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer


def fits(requires: Requirement, offers: list[Offer]) -> str:
    """Return '' if one of the offers meets the requirement, else what is missing, in words."""
    wanted = _wanted(requires)
    same = [offer for offer in offers if offer.method == requires.method]
    if not same:
        return f"has no {requires.method}"
    right = [offer for offer in same if _version_fits(requires, offer.version)]
    if not right:
        return f"has {requires.method} {', '.join(sorted(o.version for o in same))}, not {wanted}"
    if requires.engine and not any(requires.engine in offer.engines for offer in right):
        return f"can't render with {requires.engine} in {wanted}"
    return ""


def wanted(requires: Requirement) -> str:
    """Return what a job needs, in words: `blender 4.5 or newer with CYCLES`."""
    return _wanted(requires) + (f" with {requires.engine}" if requires.engine else "")


def _wanted(requires: Requirement) -> str:
    newer = " or newer" if requires.newer and requires.version else ""
    return f"{requires.method} {requires.version}{newer}".strip()


def _version_fits(requires: Requirement, version: str) -> bool:
    if not requires.version:
        return True
    need, have = _numbers(requires.version), _numbers(version)
    return have[: len(need)] >= need if requires.newer else have[: len(need)] == need


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


@dataclass(frozen=True, slots=True)
class Admission:
    """Which slaves a job admits, by name; an empty list of `slaves` admits all."""

    slaves: Collection[str] = ()
    not_slaves: Collection[str] = ()

    def admits(self, name: str) -> bool:
        """Tell whether the job admits a slave."""
        return name not in self.not_slaves and (not self.slaves or name in self.slaves)


@dataclass(frozen=True, slots=True)
class Machine:
    """A slave as the rules see it."""

    id: int
    name: str
    slots: int
    offers: tuple[Offer, ...]
    owner: int = 0
    contained: bool = False


def trusted(slave: Machine, owner: int, *, strangers: bool) -> bool:
    """Tell whether a slave may get jobs of a user: where users are strangers, theirs run in a sandbox only.

    Args:
        slave: whose owner answers for what it renders for themselves.
        owner: the job's.
        strangers: the farm's users don't know each other.
    """
    return not strangers or slave.contained or slave.owner == owner


def fitting(requires: Requirement, admission: Admission, machines: Iterable[Machine]) -> list[Machine]:
    """Return the machines that can and may render a job."""
    return [m for m in machines if admission.admits(m.name) and not fits(requires, list(m.offers))]
