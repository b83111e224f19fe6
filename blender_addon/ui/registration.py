"""Put all of it into Blender, and take it out again."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..comms import account, errands, logins, unfinished
from ..comms.trouble import Trouble
from . import (
    accountoperators,
    bakeoperators,
    boosts,
    declared,
    findmissing,
    joblist,
    joboperators,
    panels,
    preferences,
    preview,
    pump,
    scenesettings,
    sendoperators,
    thumbnails,
    uploadoperators,
)
from .desk import desk

CLASSES = (
    preferences.DistrenPreferences,
    scenesettings.DistrenScene,
    joblist.DistrenJob,
    joblist.DISTREN_UL_jobs,
    *accountoperators.CLASSES,
    *sendoperators.CLASSES,
    *uploadoperators.CLASSES,
    *findmissing.CLASSES,
    *bakeoperators.CLASSES,
    *joboperators.CLASSES,
    *boosts.CLASSES,
    *panels.CLASSES,
)

RECONNECT = 1.0
"""Seconds after Blender's start."""


def register() -> None:
    """Register everything; nothing is contacted."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.distren = bpy.props.PointerProperty(type=scenesettings.DistrenScene)
    manager = bpy.types.WindowManager
    manager.distren_jobs = bpy.props.CollectionProperty(type=joblist.DistrenJob)
    manager.distren_job = bpy.props.IntProperty(name="Job", update=_chose)
    manager.distren_percent = bpy.props.FloatProperty(
        name="Done", subtype="PERCENTAGE", min=0, max=100, precision=0, get=_percent
    )
    manager.distren_points = bpy.props.IntProperty(
        name="Points",
        description="Points that the job may use; what is left at its end returns. 0 ends its boost",
        min=0,
        default=boosts.POINTS,
        update=boosts.changed,
    )
    manager.distren_boost = bpy.props.IntProperty(
        name="Boost",
        description="How much sooner: 1 is twice its share. Each frame burns its worth as many times",
        min=1,
        max=boosts.MOST,
        default=1,
        update=boosts.changed,
    )
    bpy.types.TOPBAR_MT_render.append(panels.draw_menu)
    bpy.app.handlers.save_pre.append(preview.forget)
    bpy.app.handlers.load_post.append(_loaded)
    if not bpy.app.background:
        bpy.app.timers.register(_reconnect, first_interval=RECONNECT)


def unregister() -> None:
    """Take everything out; what is being sent is stopped."""
    desk.close()
    pump.stop()
    if bpy.app.timers.is_registered(_reconnect):
        bpy.app.timers.unregister(_reconnect)
    bpy.app.handlers.load_post.remove(_loaded)
    bpy.app.handlers.save_pre.remove(preview.forget)
    preview.forget()
    bpy.types.TOPBAR_MT_render.remove(panels.draw_menu)
    declared.shelf.close()
    thumbnails.close()
    for name in ("distren_jobs", "distren_job", "distren_percent", "distren_points", "distren_boost"):
        delattr(bpy.types.WindowManager, name)
    del bpy.types.Scene.distren
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)


def _percent(_manager: Any) -> float:
    return 100.0 * desk.despatch.share if desk.despatch is not None else 0.0


def _chose(_manager: Any, _context: Any) -> None:
    pump.show_jobs()


@persistent
def _loaded(*_arguments: Any) -> None:
    """Fill the list anew: another file brought another window manager."""
    pump.show_jobs()


def _reconnect() -> None:
    """Go on with jobs whose pictures, or files, were still to travel when Blender was closed: that was asked for."""
    if not preferences.online() or not preferences.server():
        return
    try:
        link = preferences.link()
        if logins.find(link.server) is None or not (errands.load(link.server) or unfinished.any_left(link.server)):
            return
        link = preferences.use()
    except Trouble:
        return
    desk.run(lambda: account.connect(link))
    pump.start()
