"""Find the Blenders of this machine, and try each."""

from __future__ import annotations

from blender_addon.inspection import DENOISING
from farm.methods.base import Launcher, MethodConfig, Offered
from farm.methods.blender.addons import with_addons
from farm.methods.blender.command import PACKAGE
from farm.methods.blender.places import candidates, named
from farm.methods.blender.trial import Answer, try_it
from farm.protocol.slaves import Offer
from farm.words.errors import NotASetup

_DRAWN = ("BLENDER_EEVEE", "BLENDER_WORKBENCH")
"""Engines that draw by GL."""


def find(config: MethodConfig) -> list[Offered]:
    """Return the Blenders that work here: those that a person named first, then the newest first.

    Raises:
        NotASetup: one that a person named does not work.
    """
    chosen = {named(p).program.absolute() for p in config.programs}
    _check_named(config)
    found = [(launcher, try_it(launcher, config.cache, cards=config.cards)) for launcher in candidates(config)]
    working = [
        with_addons(offered(launcher, answer), config.addons) for launcher, answer in found if not answer.problem
    ]
    return sorted(
        working, key=lambda o: (o.launcher.program.absolute() in chosen, version_key(o.offer.version)), reverse=True
    )


def version_key(version: str) -> tuple[int, ...]:
    """Return a version as numbers that compare."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _check_named(config: MethodConfig) -> None:
    for path in config.programs:
        launcher = named(path)
        answer = (
            try_it(launcher, config.cache, cards=config.cards)
            if launcher.program.is_file()
            else Answer(problem="There is no such file.")
        )
        if answer.problem:
            last = answer.problem.strip().splitlines()[-1][:300]
            raise NotASetup(
                f"{launcher.program} does not work as a Blender: {last}",
                hint="Name the path of a blender program, or of a Python that can import bpy.",
            )


def offered(launcher: Launcher, answer: Answer) -> Offered:
    """Return a Blender that answered, as slaves and commands pass it on."""
    engines = [*answer.engines, *([DENOISING] if answer.denoiser and "CYCLES" in answer.engines else [])]
    what = "bpy package" if launcher.kind == PACKAGE else "program"
    detail = f"{what} {launcher.program}"[:200]
    drawn = [engine for engine in answer.engines if engine.startswith(_DRAWN)]
    offer = Offer(
        method="blender",
        version=answer.version,
        engines=engines,
        detail=detail,
        devices=[str(card) for card in answer.cards],
        software=drawn if answer.software else [],
        cannot=list(answer.cannot),
        build=answer.build[:200],
        drawer=answer.drawer[:200],
    )
    return Offered(offer, launcher, answer.cards)
