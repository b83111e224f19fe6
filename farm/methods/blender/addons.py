"""Add-ons that a slave's owner put into a folder: tried in each Blender at the start."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from farm.methods.base import Launcher, Offered
from farm.methods.blender.trial import ask, try_engine

PROBE = Path(__file__).parent / "inside" / "addonprobe.py"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_ODD = re.compile(r"[^0-9A-Za-z.+-]")

log = structlog.get_logger(__name__)


def names_in(folder: Path) -> list[str]:
    """Return the add-ons in a folder: Python packages and modules."""
    packages = (path.parent.name for path in folder.glob("*/__init__.py"))
    modules = (path.stem for path in folder.glob("*.py"))
    return sorted(name for name in {*packages, *modules} if _NAME.fullmatch(name))


def with_addons(offered: Offered, folder: Path | None) -> Offered:
    """Return a Blender with the add-ons that can be enabled in it, and why others can't.

    They are tried anew at each start: their owner may have changed them.

    Args:
        offered: the Blender.
        folder: the owner's; None: there is none.
    """
    names = names_in(folder) if folder else []
    if folder is None or not names:
        return offered
    tried = _try(offered.launcher, folder, names)
    for reason in tried.cannot:
        log.warning("An add-on does not work", blender=offered.offer.version, reason=reason)
    offer = offered.offer
    offer = offer.model_copy(
        update={
            "addons": tried.have,
            "engines": [*offer.engines, *tried.engines],
            "cannot": [*offer.cannot, *tried.cannot],
        }
    )
    return replace(offered, offer=offer, addons=folder, engines=tried.engines)


@dataclass(slots=True)
class _Tried:
    """`name=version` of those that work, their engines that render, and a sentence for what does not."""

    have: list[str] = field(default_factory=list)
    engines: dict[str, str] = field(default_factory=dict)
    cannot: list[str] = field(default_factory=list)


def _try(launcher: Launcher, folder: Path, names: list[str]) -> _Tried:
    tried = _Tried()
    for answer in _enabled(launcher, folder, names, tried):
        tried.have.append(f"{answer['name']}={_ODD.sub('-', answer['version'])[:40] or '0'}")
        for engine in answer["engines"]:
            reason = try_engine(launcher, folder, answer["name"], engine)
            if reason:
                tried.cannot.append(f"{engine} of add-on {answer['name']}: {reason[:200]}")
            else:
                tried.engines[engine] = answer["name"]
    return tried


def _enabled(launcher: Launcher, folder: Path, names: list[str], tried: _Tried) -> list[dict[str, Any]]:
    """Return the answers of those that can be enabled; note why others can't."""
    good: list[dict[str, Any]] = []
    while names:
        answers, _ = ask(launcher, PROBE, str(folder.absolute()), *names)
        good += [answer for answer in answers if "version" in answer]
        bad = [answer for answer in answers if "problem" in answer]
        tried.cannot += [f"Add-on {answer['name']}: {answer['problem'][:200]}" for answer in bad]
        begun = [answer["trying"] for answer in answers if "trying" in answer]
        ended = {answer["name"] for answer in answers if "name" in answer}
        if not begun or begun[-1] in ended:
            break
        # The last one took Blender along; the others get another try.
        tried.cannot.append(f"Add-on {begun[-1]}: Blender crashed, or hung, when it was enabled.")
        names = names[names.index(begun[-1]) + 1 :]
    return good
