"""The Blenders that commands of this person may use to read files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from farm.cli.output import notice
from farm.methods.base import MethodConfig, Offered
from farm.methods.blender.find import find
from farm.methods.blender.provision import provision
from farm.words.folders import user_folder
from farm.words.logs import configure
from farm.words.settings import ClientSettings


def renderer_config(settings: ClientSettings) -> MethodConfig:
    """Return where Blenders are looked for."""
    return MethodConfig(
        programs=(*settings.blender, *settings.bpy),
        environments=(_environments(),),
        cache=_trials(),
    )


def found_blenders(settings: ClientSettings, *, cards: bool = False) -> list[Offered]:
    """Return the Blenders that work here, the best first.

    Args:
        settings: name Blenders that are not found by themselves.
        cards: try graphics cards, too, as slaves do.
    """
    configure("human", "warning")
    return find(replace(renderer_config(settings), cards=cards))


def provisioned() -> Offered:
    """Return bpy in an environment of its own, which is made if it is not there yet.

    Raises:
        NotASetup: it can't be installed here; says the one command that mends it.
    """
    configure("human", "warning")
    return provision(_environments(), notice, _trials())


def _environments() -> Path:
    return user_folder("data") / "blenders"


def _trials() -> Path:
    return user_folder("cache") / "renderers.json"
