"""The Blender and the scene of the demo; both are kept for the next run."""

from __future__ import annotations

import hashlib
from pathlib import Path

from farm.cli.output import notice
from farm.cli.renderers import found_blenders, provisioned
from farm.methods.base import Offered
from farm.methods.blender.scene import MAKER, SCENE, make_scene
from farm.words.folders import user_folder
from farm.words.settings import ClientSettings


def chosen_blender(settings: ClientSettings) -> Offered:
    """Return the Blender that renders the demo; installs bpy if there is none.

    Raises:
        NotASetup: there is none, and none can be installed.
    """
    found = found_blenders(settings)
    if found:
        notice(f"Found Blender {found[0].offer.version}: {found[0].launcher.program}")
        return found[0]
    notice("No Blender is here: bpy is installed instead, once.")
    return provisioned()


def scene(renderer: Offered) -> Path:
    """Return the demo's .blend; makes it if this version of Blender and of the script has not yet.

    Raises:
        RendererFailed: Blender could not make it.
    """
    script = hashlib.sha256(MAKER.read_bytes()).hexdigest()[:12]
    place = user_folder("cache") / "demo" / f"scene-{renderer.offer.version}-{script}"
    if not (place / SCENE).exists():
        notice("Making the scene …")
        make_scene(renderer.launcher, place)
    return place / SCENE
