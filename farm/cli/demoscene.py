"""The Blender and the scene of the demo; both are kept for the next run."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from farm.cli.output import notice
from farm.cli.renderers import found_blenders, provisioned
from farm.methods.base import Offered
from farm.methods.blender import demo
from farm.methods.blender.command import command
from farm.methods.blender.method import environment
from farm.words.errors import RendererFailed
from farm.words.folders import user_folder
from farm.words.settings import ClientSettings

MAKER = Path(demo.__file__).parent / "make_scene.py"

SECONDS = 300
"""The longest that making the scene may take; it takes a few."""


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
    if not (place / "demo.blend").exists():
        notice("Making the scene …")
        _make(renderer, place)
    return place / "demo.blend"


def _make(renderer: Offered, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="making-") as name:
        folder = Path(name)
        argv = command(renderer.launcher, MAKER, (str(folder / "scene"),))
        try:
            done = subprocess.run(
                argv, env=environment(folder), cwd=folder, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise RendererFailed(f"Making the demo's scene took longer than {SECONDS} s.") from error
        if not (folder / "scene" / "demo.blend").exists():
            said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-3:]
            raise RendererFailed(f"Blender could not make the demo's scene: {' / '.join(said)}")
        _drop_backups(folder)
        shutil.rmtree(place, ignore_errors=True)
        (folder / "scene").replace(place)


def _drop_backups(folder: Path) -> None:
    for backup in folder.rglob("*.blend1"):
        backup.unlink()
