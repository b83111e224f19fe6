"""Which slave can render which job: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer, Renderer
from farm.scheduler import addons, devices
from farm.scheduler.pools import Pool, serves


def fits(requires: Requirement, offers: list[Offer]) -> str:
    """Return '' if one of the offers meets the requirement, else what is missing, in words."""
    wanted = _wanted(requires)
    same = [offer for offer in offers if offer.method == requires.method]
    if not same:
        return f"has no {requires.method}"
    right = [offer for offer in same if _version_fits(requires, offer.version)]
    if not right:
        return f"has {requires.method} {', '.join(sorted(o.version for o in same))}, not {wanted}"
    able = [offer for offer in right if not requires.engine or requires.engine in offer.engines]
    if not able:
        return f"can't render with {requires.engine} in {wanted}"
    able = [offer for offer in able if devices.on_it(requires, offer)]
    if not able:
        return f"can't render with {requires.engine} in {wanted}{devices.words(requires)}"
    missing = [offer.lacks(requires.addons) for offer in able]
    if all(missing):
        return f"lacks the add-on {', '.join(sorted(missing, key=len)[0])} in {wanted}"
    untagged = set(requires.tags).difference(*(offer.tags for offer in able))
    return f"lacks the tag {', '.join(sorted(untagged))}" if untagged else ""


def wanted(requires: Requirement) -> str:
    """Return what a job needs, in words: `blender 4.5 or newer with CYCLES`."""
    engine = f" with {requires.engine}" if requires.engine else ""
    tags = f" and the tag {', '.join(sorted(requires.tags))}" if requires.tags else ""
    return _wanted(requires) + engine + devices.words(requires) + addons.words(requires) + tags


def _wanted(requires: Requirement) -> str:
    newer = " or newer" if requires.newer and requires.version else ""
    return f"{requires.method} {requires.version}{newer}".strip()


def has_version(requires: Requirement, offers: Iterable[Offer]) -> bool:
    """Tell whether one of the offers has the method and the version, whatever else it lacks."""
    return any(offer.method == requires.method and _version_fits(requires, offer.version) for offer in offers)


def _version_fits(requires: Requirement, version: str) -> bool:
    if not requires.version:
        return True
    need, have = numbers(requires.version), numbers(version)
    return have[: len(need)] >= need if requires.newer else have[: len(need)] == need


def pinned_to(requires: Requirement, version: str) -> Requirement:
    """Return what a job needs once its version is settled; an empty version settles nothing."""
    return requires.model_copy(update={"version": version, "newer": False}) if version else requires


def closest(requires: Requirement, machines: Iterable[Machine]) -> str:
    """Return the version that a job should be rendered with throughout, of those that machines offer.

    The very version that was asked for comes first, then its major.minor, then the oldest
    newer one, for the less is changed between two versions, the less looks different. Of
    one major.minor, what most slots have (its patches draw alike); then the newest.

    Args:
        requires: what the job needs.
        machines: those that may render it.

    Returns:
        '' if none offers a version.
    """
    slots: Counter[str] = Counter()
    exact = numbers(requires.version)
    suited = Suited(requires)
    for machine in machines:
        for version in suited.versions(machine):
            slots[version] += machine.slots

    def rank(version: str) -> tuple[bool, tuple[int, ...], int, list[int]]:
        parts = numbers(version)
        line = parts[:2] if requires.version else ()
        return parts != exact, line, -slots[version], [-part for part in parts]

    return min(slots, key=rank, default="")


def instead(requires: Requirement, machines: Collection[Machine]) -> str:
    """Return which versions there are of what no machine has, and the choices; '' if it is nothing of these.

    Args:
        requires: what the job needs.
        machines: those that may render it, and can't.
    """
    return _other_versions(requires, machines) or _other_addons(requires, machines) or _other_tags(requires, machines)


def _other_tags(requires: Requirement, machines: Collection[Machine]) -> str:
    free = requires.model_copy(update={"tags": []})
    if not requires.tags or all(fits(free, list(machine.offers)) for machine in machines):
        return ""
    have = sorted({tag for machine in machines for offer in machine.offers for tag in offer.tags})
    return f"there are {', '.join(have)}." if have else "no slave has any tags."


def _other_addons(requires: Requirement, machines: Collection[Machine]) -> str:
    free = requires.model_copy(update={"addons": []})
    offers = [offer for machine in machines for offer in machine.offers if not fits(free, [offer])]
    if not requires.addons or not offers:
        return ""
    wanted = {addon.partition("=")[0] for addon in requires.addons if "=" in addon}
    have = sorted({a.replace("=", " ") for offer in offers for a in offer.addons if a.partition("=")[0] in wanted})
    use = f"there is {', '.join(have)}: use it, " if have else ""
    return f"{use}put the add-on into a slave's add-on folder, or wait."


def _other_versions(requires: Requirement, machines: Collection[Machine]) -> str:
    free = requires.model_copy(update={"version": ""})
    others = Counter(v for m in machines for v in {o.version for o in m.offers if o.version and not fits(free, [o])})
    if not requires.version or not others:
        return ""
    have = [f"{count} {'has' if count == 1 else 'have'} {v}" for v, count in sorted(others.items())]
    use = "use it, " if any(numbers(v) > numbers(requires.version) for v in others) else ""
    return f"{', '.join(have)}: {use}install {requires.version}, or wait."


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers that compare."""
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
    """A slave as the rules see it.

    Args:
        powers: what was measured of it, thousandths of the reference's by method.
        serves: the users whose jobs it renders; None: everybody's.
    """

    id: int
    name: str
    slots: int
    offers: tuple[Offer, ...]
    owner: int = 0
    contained: bool = False
    installs: tuple[Renderer, ...] = ()
    cores: int = 1
    pool: Pool | None = None
    powers: dict[str, int] = field(default_factory=dict, compare=False)
    serves: frozenset[int] | None = None


def lends(slave: Machine, owner: int) -> bool:
    """Tell whether a slave's owner lends it to a user."""
    return slave.serves is None or owner in slave.serves


def trusted(slave: Machine, owner: int, *, strangers: bool) -> bool:
    """Tell whether a slave is safe with a user's jobs: where users are strangers, theirs run in a sandbox only.

    Args:
        slave: whose owner answers for what it renders for themselves.
        owner: the job's.
        strangers: the farm's users don't know each other.
    """
    return not strangers or slave.contained or slave.owner == owner


def fitting(requires: Requirement, admission: Admission, machines: Iterable[Machine], owner: int) -> list[Machine]:
    """Return the machines that can and may render a job of a user's, as long as it does not matter whom they trust."""
    suited = Suited(requires)
    may = (m for m in machines if admission.admits(m.name) and lends(m, owner))
    return [machine for machine in may if serves(machine.pool, requires, owner) and not suited.lacks(machine)]


class Suited:
    """What one requirement finds in machines: equal offers are looked at once, for a thousand slaves have few kinds.

    Args:
        requires: what the job needs.
    """

    def __init__(self, requires: Requirement) -> None:
        self._requires = requires
        # Offers of equal text are one object; it is kept here, so that its id stays its own.
        self._known: dict[int, tuple[tuple[Offer, ...], str, frozenset[str]]] = {}

    def lacks(self, machine: Machine) -> str:
        """Return what a machine lacks, in words; '' if it fits."""
        return self._of(machine.offers)[1]

    def versions(self, machine: Machine) -> frozenset[str]:
        """Return the versions of a machine's renderers that fit."""
        return self._of(machine.offers)[2]

    def _of(self, offers: tuple[Offer, ...]) -> tuple[tuple[Offer, ...], str, frozenset[str]]:
        if id(offers) not in self._known:
            versions = frozenset(offer.version for offer in offers if not fits(self._requires, [offer]))
            self._known[id(offers)] = offers, fits(self._requires, list(offers)), versions
        return self._known[id(offers)]
