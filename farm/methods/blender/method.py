"""The `blender` render method. A server only describes it: what slaves do is imported where they do it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from farm.methods.base import Device, Launch, Launcher, MethodConfig, Offered, Sample, needs_of_python
from farm.methods.blender.command import PACKAGE, command, environment
from farm.methods.blender.describe import description
from farm.methods.blender.header import read_header
from farm.package.outputs import read_outputs
from farm.protocol.methods import MethodDescription
from farm.protocol.slaves import JobSheet
from farm.words.errors import BadSetting, Refused
from farm.words.states import FrameOrder

DRIVER = Path(__file__).parent / "inside" / "driver.py"
SHARED = Path(__file__).parents[1] / "inside"
"""What the sessions of all methods share."""

_NOT_OF_THE_FILE = ("relocate", "colours", "outputs", "persistent")
"""Settings that say how the file is opened, not what is to be other than in it."""


class BlenderMethod:
    """Blender, as a program or as the `bpy` package."""

    name = "blender"

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        return description()

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the Blenders that work here, the best first."""
        from farm.methods.blender.find import find

        return find(found)

    def installs(self) -> list[str]:
        """Return the versions of bpy for which there is a wheel and a Python here."""
        from farm.methods.blender.provision import installable

        return installable()

    def install(self, version: str, folder: Path, limit: int, cache: Path) -> None:
        """Install a bpy from PyPI and try it.

        Raises:
            NotASetup: it does not work here, or needs more than `limit` bytes.
        """
        from farm.methods.blender.provision import provision

        provision(folder, cache=cache, version=version, limit=limit)

    def broken(self, offered: Offered, card: Device, scratch: Path, around: Callable[[Launch], Launch]) -> str:
        """Render a few pixels on a card; return why that does not work, else an empty text."""
        from farm.methods.blender.trial import PROBE, card_trial, try_launch

        argv, env = command(offered.launcher, PROBE, card_trial(card)), environment(scratch)
        return try_launch(around(Launch(argv, env, scratch, {}, (*_needs(offered.launcher), *_named(env)))))

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Write the demo's scene, small and quick."""
        from farm.methods.blender.scene import SCENE, make_scene

        make_scene(offered.launcher, folder)
        return Sample(SCENE, {"resolution_percentage": 25, "samples": 4, "persistent": False})

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a Blender that opens the job's file.

        Args:
            offered: the Blender.
            sheet: the job; its setting `scripts` (the server's word) lets the file's scripts run.
            root: the folder with the job's files.
            scratch: a folder of the session's own; also the renderer's home.

        Raises:
            Refused: the file is no .blend, or of a newer Blender: older ones crash on it, or lose data.
        """
        _check_version(root / sheet.source, offered)
        settings = {k: v for k, v in sheet.settings.items() if k not in _NOT_OF_THE_FILE}
        in_order, finishes = sheet.order is FrameOrder.IN_ORDER, sheet.settings.get("stage") == "finish"
        opening = {
            "do": "open",
            "source": str(root / sheet.source),
            "root": str(root),
            "settings": settings,
            # What simulations change is not worth keeping, nor the doubt; what is finished later prepares nothing.
            "persistent": bool(sheet.settings.get("persistent", True)) and not in_order and not finishes,
            "in_order": in_order,
            "relocate": _relocations(sheet.settings.get("relocate"), root),
            "places": [[place.path, place.folder] for place in read_outputs(sheet.settings).places],
        }
        names = _addons(offered, sheet)
        addons = [offered.addons.absolute()] if offered.addons and names else []
        if addons:
            opening["addons"] = {"folder": str(addons[0]), "names": names}
        argv, env = command(offered.launcher, DRIVER), {**environment(scratch), **_colours(sheet.settings, root)}
        return Launch(argv, env, scratch, opening, (*_needs(offered.launcher), *_named(env), *addons))


def _addons(offered: Offered, sheet: JobSheet) -> list[str]:
    """Return the add-ons to enable: those that the job lists, and the one that its engine is of."""
    listed = [name.partition("=")[0] for name in sheet.addons]
    return list(dict.fromkeys([*listed, *filter(None, [offered.engines.get(sheet.engine)])]))


def _check_version(blend: Path, offered: Offered) -> None:
    from farm.methods.blender.find import version_key

    if not blend.is_file():
        return  # Blender's own word for it is as good
    try:
        header = read_header(blend)
    except Refused as error:
        # Where it lies on this slave is nobody's business.
        raise Refused(error.message.replace(str(blend), blend.name), hint=error.hint) from error
    if version_key(header.version) > version_key(offered.offer.version)[:2]:
        raise Refused(
            f"{blend.name} was saved by Blender {header.version}, newer than the job's {offered.offer.version}.",
            hint="Submit it anew with the version that it needs.",
        )


def _needs(launcher: Launcher) -> tuple[Path, ...]:
    """Return what a Blender consists of: its folder, or its environment; and our scripts."""
    from farm.package.addon import sources

    own = needs_of_python(launcher.program) if launcher.kind == PACKAGE else (launcher.program.resolve().parent,)
    return (*own, DRIVER.parent, SHARED, sources())


def _named(env: dict[str, str]) -> tuple[Path, ...]:
    """Return what the environment names: colour management, libraries."""
    colours = [Path(env["OCIO"]).parent] if env.get("OCIO") else []
    libraries = [Path(folder) for folder in env.get("LD_LIBRARY_PATH", "").split(os.pathsep) if folder]
    return tuple(path for path in (*colours, *libraries) if path.is_absolute())


def _colours(settings: dict[str, Any], root: Path) -> dict[str, str]:
    """Return the variable that names the job's own colour configuration, if it has one."""
    place = str(settings.get("colours") or "")
    if not place:
        return {}
    if PurePosixPath(place).is_absolute() or {"..", ""} & set(place.replace("\\", "/").split("/")):
        raise BadSetting(f"The setting colours leads out of the job: “{place}”.")
    return {"OCIO": str(root / place)}


def _relocations(text: Any, root: Path) -> dict[str, str]:
    if not text:
        return {}
    try:
        pairs = json.loads(text) if isinstance(text, str) else dict(text)
        return {str(old): str(root / new) for old, new in pairs.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise BadSetting("The setting relocate is no JSON object of folders.") from error


METHOD = BlenderMethod()
