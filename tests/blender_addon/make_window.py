"""Run by a Blender with a window: install the add-on, and tell again and again what the desk knows, `-- ZIP STATE`."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import bpy

ARCHIVE, STATE = sys.argv[sys.argv.index("--") + 1 :][:2]


def setup() -> None:
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.show_developer_ui = False
    bpy.context.preferences.filepaths.use_file_compression = False
    bpy.ops.preferences.addon_install(filepath=ARCHIVE)
    bpy.ops.preferences.addon_enable(module="distren")


def declared(scene: Any) -> Any:
    """How many samples the artist wants instead of the file's; None: no other."""
    group = getattr(scene, "distren_declared", None)
    return group.samples if group is not None and group.use_samples else None


def preferences() -> None:
    """Open the preferences at the add-on, or close them: without a window manager, no key does."""
    window, *others = bpy.context.window_manager.windows
    for other in others:
        with bpy.context.temp_override(window=other):
            bpy.ops.wm.window_close()
    if not others:
        with bpy.context.temp_override(window=window, screen=window.screen, area=window.screen.areas[0]):
            bpy.ops.preferences.addon_show(module="distren")


def tell() -> Any:
    """Write what the desk knows, and how often the timer ran: it does not while Blender is frozen."""
    from distren.ui.desk import desk  # type: ignore[import-not-found]

    tell.count += 1  # type: ignore[attr-defined]
    said = bpy.context.scene.distren
    known = {
        "ticks": tell.count,  # type: ignore[attr-defined]
        "answered": bool(desk.info),
        "user": desk.user,
        "sending": desk.despatch is not None,
        "stage": desk.despatch.stage if desk.despatch else "",
        "findings": [finding.text for finding in desk.findings],
        "jobs": [[job["job"], job["state"], job["counts"]["done"]] for job in desk.jobs],
        "fetched": {job: fetched.count for job, fetched in desk.fetched.items()},
        "thumbnail": desk.thumbnail is not None,
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
    if os.path.exists(f"{STATE}.preferences"):
        os.unlink(f"{STATE}.preferences")
        preferences()
    return 0.05


tell.count = 0  # type: ignore[attr-defined]
setup()
bpy.app.timers.register(tell, persistent=True)
