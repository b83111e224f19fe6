"""The Blenders that commands of this person may use to read files."""

from __future__ import annotations

from farm.methods.base import MethodConfig, Offered
from farm.methods.blender.find import find
from farm.words.errors import NotASetup
from farm.words.folders import user_folder
from farm.words.logs import configure
from farm.words.settings import ClientSettings


def renderer_config(settings: ClientSettings) -> MethodConfig:
    """Return where Blenders are looked for."""
    return MethodConfig(
        programs=(*settings.blender, *settings.bpy),
        environments=(user_folder("data") / "blenders",),
        cache=user_folder("cache") / "renderers.json",
    )


def found_blenders(settings: ClientSettings) -> list[Offered]:
    """Return the Blenders that work here, the best first."""
    configure("human", "warning")
    return find(renderer_config(settings))


def provisioned(settings: ClientSettings) -> Offered:
    """Install bpy into an environment of its own, and return it.

    Raises:
        NotASetup: it can't be installed here.
    """
    raise NotASetup("No Blender was found here.", hint="Install one, or name it: --blender /path/to/blender")
