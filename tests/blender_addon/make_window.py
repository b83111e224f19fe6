"""Run by a Blender with a window: install the add-on, and tell again and again what the desk knows, `-- ZIP STATE`."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import marks  # type: ignore[import-not-found]

ARCHIVE, STATE = sys.argv[sys.argv.index("--") + 1 :][:2]


MODULE = "bl_ext.user_default.distren" if bpy.app.version >= (4, 2) else "distren"


def ours(module: Any) -> Any:
    """Return a module of the add-on."""
    return importlib.import_module(f"{MODULE}.{module}")


def setup() -> None:
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.show_developer_ui = False
    bpy.context.preferences.filepaths.use_file_compression = False
    if bpy.app.version >= (4, 2):
        bpy.ops.extensions.package_install_files(filepath=ARCHIVE, repo="user_default", enable_on_install=True)
    else:
        bpy.ops.preferences.addon_install(filepath=ARCHIVE)
        bpy.ops.preferences.addon_enable(module=MODULE)
    marks.watch(ours("ui.registration").CLASSES)


def declared(scene: Any) -> Any:
    """How many samples the artist wants instead of the file's; None: no other."""
    group = getattr(scene, "distren_declared", None)
    return group.samples if group is not None and group.use_samples else None


def show_output() -> None:
    """Show the output properties: as soon as Blender has drawn, it knows that there are such."""
    if not show_output.done:  # type: ignore[attr-defined]
        area = next(one for one in bpy.context.window_manager.windows[0].screen.areas if one.type == "PROPERTIES")
        with contextlib.suppress(TypeError):
            area.spaces.active.context = "OUTPUT"
            show_output.done = True  # type: ignore[attr-defined]


show_output.done = False  # type: ignore[attr-defined]


def drape() -> None:
    """Hang up a cape that simulates; or take it down again."""
    cape = bpy.data.objects.get("Cape")
    if cape is not None:
        bpy.data.meshes.remove(cape.data)
        return
    mesh = bpy.data.meshes.new("Cape")
    mesh.from_pydata([(-1, 0, 0), (1, 0, 0), (1, 0, 2), (-1, 0, 2)], [], [(0, 1, 2, 3)])
    cape = bpy.data.objects.new("Cape", mesh)
    cape.modifiers.new("Cloth", "CLOTH")
    bpy.context.scene.collection.objects.link(cape)


def preferences() -> None:
    """Open the preferences at the add-on, or close them: without a window manager, no key does."""
    window, *others = bpy.context.window_manager.windows
    for other in others:
        with bpy.context.temp_override(window=other):
            bpy.ops.wm.window_close()
    if not others:
        with bpy.context.temp_override(window=window, screen=window.screen, area=window.screen.areas[0]):
            bpy.ops.preferences.addon_show(module=MODULE)


def _width() -> int:
    """Return the pixels that the properties have."""
    areas = bpy.context.window_manager.windows[0].screen.areas
    return max((area.width for area in areas if area.type == "PROPERTIES"), default=0)


def tell() -> Any:
    """Write what the desk knows, and how often the timer ran: it does not while Blender is frozen."""
    desk = ours("ui.desk").desk
    if os.path.exists(f"{STATE}.mark"):
        with open(f"{STATE}.mark", encoding="utf-8") as stream:
            marks.Marks.name = stream.read()
        os.unlink(f"{STATE}.mark")
        marks.redraw()
    tell.count += 1  # type: ignore[attr-defined]
    said = bpy.context.scene.distren
    known = {
        "ticks": tell.count,  # type: ignore[attr-defined]
        "marked": marks.Marks.name,
        "width": _width(),
        "online": getattr(bpy.app, "online_access", None),
        "answered": bool(desk.info),
        "failures": desk.failures,
        "user": desk.user,
        "sending": desk.despatch is not None,
        "stage": desk.despatch.stage if desk.despatch else "",
        "findings": [finding.text for finding in desk.findings],
        "jobs": [[job["job"], job["state"], job["counts"]["done"]] for job in desk.jobs],
        "fetched": {job: fetched.count for job, fetched in desk.fetched.items()},
        "thumbnails": len(desk.thumbnails.paths) if desk.thumbnails else 0,
        "said": desk.said,
        "nearby": [server.name for server in desk.nearby],
        "halves": [half.name for half in desk.halves],
        "broken": bool(desk.despatch and desk.despatch.broken),
        "weighed": desk.weighed is not None,
        "boosts": [job.get("boost", 0) for job in desk.jobs],
        "versions": [job.get("version", 1) for job in desk.jobs],
        "differing": {job: len(fetched.differing) for job, fetched in desk.fetched.items()},
        "trouble": str(desk.trouble or desk.away or ""),
        "wish": {n: getattr(said, n) for n in said.bl_rna.properties.keys() if n != "rna_type"},  # noqa: SIM118
        "samples": declared(bpy.context.scene),
        "images": sorted(bpy.data.images.keys()),
        "dirty": bpy.data.is_dirty,
    }
    with open(f"{STATE}.part", "w", encoding="utf-8") as stream:
        json.dump(known, stream)
    os.replace(f"{STATE}.part", STATE)
    show_output()
    if os.path.exists(f"{STATE}.act"):
        with open(f"{STATE}.act", encoding="utf-8") as stream:
            act = stream.read()
        os.unlink(f"{STATE}.act")
        ACTS[act]()
    return 0.05


ACTS = {"drape": drape, "preferences": preferences, "save": bpy.ops.wm.save_mainfile}
"""What is done without the mouse: where that would be a matter of luck, or is no part of what is tried."""


tell.count = 0  # type: ignore[attr-defined]
setup()
bpy.app.timers.register(tell, persistent=True)
