"""The demo's scene, made by any Blender: for the demo, and to try a machine with a real frame."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from farm.methods.base import Launcher
from farm.methods.blender import demo
from farm.methods.blender.command import command, environment
from farm.words.errors import RendererFailed

MAKER = Path(demo.__file__).parent / "make_scene.py"
SCENE = "demo.blend"

SECONDS = 300
"""The longest that making the scene may take; it takes a few."""


def make_scene(launcher: Launcher, place: Path) -> None:
    """Make the scene, with the files that it uses; what was in its place before goes.

    Args:
        launcher: the Blender that makes it.
        place: the folder; it appears when all is in it.

    Raises:
        RendererFailed: Blender could not make it.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="making-") as name:
        folder = Path(name)
        argv = command(launcher, MAKER, (str(folder / "scene"),))
        try:
            done = subprocess.run(
                argv, env=environment(folder), cwd=folder, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise RendererFailed(f"Making the demo's scene took longer than {SECONDS} s.") from error
        if not (folder / "scene" / SCENE).exists():
            said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-3:]
            raise RendererFailed(f"Blender could not make the demo's scene: {' / '.join(said)}")
        _drop_backups(folder)
        shutil.rmtree(place, ignore_errors=True)
        (folder / "scene").replace(place)


def _drop_backups(folder: Path) -> None:
    for backup in folder.rglob("*.blend1"):
        backup.unlink()
