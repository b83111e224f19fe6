"""Open a job's file and make it ready to render."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any

import bpy

from blender_addon.addons import FOLDER
from blender_addon.scene_nodes import renders_edit
from farm.methods.inside.trouble import SLAVE, Trouble

from . import bakes, checks, devices, engines, machine, overrides, shaderscripts, simulation, stages, tile
from .addons import enable
from .load import load
from .overheard import overheard
from .relocate import Moved, Relocation, relocate


@dataclass
class Opened:
    """An open file: the scene to render and what is worth knowing.

    `order`: what it was opened with. `moved`: paths that were given their places here. `played`: the frame to which
    its simulations were played. `rested`: since when there is nothing to do (monotonic seconds); 0 before the first
    frame. `finisher`: finishes what was rendered before; None: frames are rendered.
    """

    scene: Any
    persistent: bool
    seconds: float
    warnings: list[str]
    facts: dict[str, Any]
    memory: int
    order: dict[str, Any]
    fresh: bool = True
    moved: Moved = field(default_factory=list)
    played: int | None = None
    rested: float = 0.0
    finisher: stages.Finisher | None = None

    @property
    def places(self) -> list[tuple[str, str]]:
        """The artist's folders that folders of each frame stand for."""
        return [(path, here) for path, here in self.order.get("places") or ()]

    @property
    def in_order(self) -> bool:
        """Its simulations are played up to each frame."""
        return bool(self.order.get("in_order"))


def open_file(order: dict[str, Any]) -> Opened:
    """Open, relocate, override, check.

    Raises:
        Trouble: it can't be rendered as its artist sees it.
    """
    try:
        return _opened(order)
    except Trouble as error:
        # Where the job lies on this slave helps nobody.
        raise Trouble(str(error).replace(os.path.join(order["root"], ""), ""), error.kind) from error


def _opened(order: dict[str, Any]) -> Opened:
    began = time.monotonic()
    settings = order.get("settings") or {}
    said, moved = _loaded(order, settings)
    scene = overrides.chosen_scene(settings)
    if settings.get("bake"):
        # Nothing is rendered, and what is saved must be the artist's own.
        checks.loaded(settings, said)
        seconds = time.monotonic() - began
        return Opened(scene, False, seconds, [], _facts(scene), machine.resident_bytes(), order, moved=moved)
    shaderscripts.compile_all()
    warnings = [*overrides.apply(scene, settings), *tile.prepare(scene, settings)]
    device = order.get("device") or {}
    devices.use(device.get("kind", devices.CPU), device.get("id", ""))
    _threads(scene, order.get("threads"))
    _stamp(order["source"], order["root"])
    checks.check(scene, settings, said)
    persistent = bool(order.get("persistent"))
    scene.render.use_persistent_data = persistent
    if order.get("in_order"):
        simulation.prepare()
    seconds = time.monotonic() - began
    finisher = stages.Finisher(scene) if settings.get("stage") == stages.FINISH else None
    facts, memory = _facts(scene), machine.resident_bytes()
    return Opened(scene, persistent, seconds, warnings, facts, memory, order, finisher=finisher)


def _loaded(order: dict[str, Any], settings: dict[str, Any]) -> tuple[list[str], Moved]:
    """Load the file; return what Blender printed meanwhile, and the paths that were given their places here."""
    _enable(order.get("addons") or {})
    _enable_sent(order["root"], settings)
    engines.watch()
    moves, moved = Relocation(order["root"], order.get("relocate") or {}), Moved()
    with overheard() as said:
        load(order["source"], bool(settings.get("scripts")), lambda: moved.extend(relocate(moves)), bakes.make_readable)
    return said, moved


def _enable(addons: dict[str, Any]) -> None:
    """Enable the add-ons that the job asks for, before the file is opened: it may hold data of theirs."""
    for name in addons.get("names") or []:
        try:
            enable(addons["folder"], name)
        except Exception as error:  # an add-on may raise anything
            text = f"The add-on {name} does not work in Blender {bpy.app.version_string}: {error}"
            raise Trouble(text, SLAVE) from error


def _enable_sent(root: str, settings: dict[str, Any]) -> None:
    """Enable the add-ons that came with the job; they are programs of its sender's, like the file's own Python."""
    names = [name for name in str(settings.get("sent_addons") or "").split(",") if name]
    if names and not settings.get("scripts"):
        named = ", ".join(names)
        raise Trouble(f"The file needs add-ons ({named}), which this farm does not run: the picture would be wrong.")
    for name in names:
        folder = os.path.join(root, FOLDER)
        try:
            enable(folder if _is_in(folder, name) else bpy.utils.system_resource("SCRIPTS"), name)
        except Exception as error:  # an add-on may raise anything
            text = f"The add-on {name} does not work in Blender {bpy.app.version_string}: {error}"
            raise Trouble(text) from error


def _is_in(folder: str, name: str) -> bool:
    return any(os.path.exists(os.path.join(folder, place)) for place in (f"{name}.py", name))


def _threads(scene: Any, threads: Any) -> None:
    """Leave the other slots of this slave their cores; without a word, the file's own choice stands."""
    if threads:
        scene.render.threads_mode, scene.render.threads = "FIXED", int(threads)


def _stamp(source: str, root: str) -> None:
    """Have pictures name the .blend by its place in the job, not in this slave's folders.

    Blender stamps the absolute path as “File”, which can't be set; so the note says it.
    """
    for scene in bpy.data.scenes:
        render = scene.render
        if render.use_stamp_filename:
            note = [render.stamp_note_text] if render.use_stamp_note and render.stamp_note_text else []
            name = os.path.relpath(source, root).replace(os.sep, "/")
            render.stamp_note_text = "\n".join([f"File {name}", *note])
            render.use_stamp_filename, render.use_stamp_note = False, True


def _facts(scene: Any) -> dict[str, Any]:
    return {
        "scene": scene.name,
        "engine": scene.render.engine,
        "device": scene.cycles.device if hasattr(scene, "cycles") else "",
        "edit": renders_edit(scene),
        "frames": [scene.frame_start, scene.frame_end, scene.frame_step],
        "format": scene.render.image_settings.file_format,
        "threads": scene.render.threads,
        "file_version": list(bpy.data.version),
    }
