"""Add-ons that a slave's owner put into a folder: tried in each Blender at the start."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import structlog

from farm.methods.base import Offered
from farm.methods.blender.trial import ask

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
    have, cannot = _try(offered, folder, names)
    for reason in cannot:
        log.warning("An add-on does not work", blender=offered.offer.version, reason=reason)
    offer = offered.offer
    offer = offer.model_copy(update={"addons": have, "cannot": [*offer.cannot, *cannot]})
    return replace(offered, offer=offer, addons=folder)


def _try(offered: Offered, folder: Path, names: list[str]) -> tuple[list[str], list[str]]:
    """Return `name=version` of those that work, and a sentence for each that does not."""
    have, cannot = [], []
    while names:
        answers, _ = ask(offered.launcher, PROBE, str(folder.absolute()), *names)
        for answer in answers:
            if "version" in answer:
                have.append(f"{answer['name']}={_ODD.sub('-', answer['version'])[:40] or '0'}")
            elif "problem" in answer:
                cannot.append(f"Add-on {answer['name']}: {answer['problem'][:200]}")
        begun = [answer["trying"] for answer in answers if "trying" in answer]
        ended = {answer["name"] for answer in answers if "name" in answer}
        if not begun or begun[-1] in ended:
            break
        # The last one took Blender along; the others get another try.
        cannot.append(f"Add-on {begun[-1]}: Blender crashed, or hung, when it was enabled.")
        names = names[names.index(begun[-1]) + 1 :]
    return have, cannot
