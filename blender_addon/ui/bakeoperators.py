"""Bake now: what simulates in the open file, before it is sent."""

from typing import Any

import bpy

from .. import baking
from ..comms.trouble import Trouble
from ..frames import BadFrames
from ..packing import wanted
from .accountoperators import told
from .desk import desk
from .scenesettings import wish_of

BEYOND = 2
"""Frames that are simulated behind the last one that is rendered: motion blur looks ahead."""


class DISTREN_OT_bake(bpy.types.Operator):
    """Bake here what simulates and is not baked; Blender waits for it. Save the file afterwards to keep it."""

    bl_idname = "distren.bake"
    bl_label = "Bake now"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether the caches have a place to go to."""
        if not bpy.data.filepath:
            cls.poll_message_set("Save the file first: bakes lie beside it")  # type: ignore[attr-defined]
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        """Bake all kinds, as `distren bake` does."""
        scene, manager = context.scene, context.window_manager
        try:
            last = max(scene.frame_end, wanted(scene, desk.wish or wish_of(scene))[-1] + BEYOND)
        except BadFrames as error:
            return told(self, Trouble(str(error)))
        manager.progress_begin(0, last)
        try:
            left = baking.bake(scene, lambda frame, _last: manager.progress_update(frame), last)
        except RuntimeError as error:
            return told(self, Trouble(f"Blender can't bake it: {error}".strip()))
        finally:
            manager.progress_end()
        if left:
            self.report({"WARNING"}, f"Not baked: {', '.join(left)}.")
        else:
            self.report({"INFO"}, "All is baked. Check again, then send.")
        return {"FINISHED"}


CLASSES = (DISTREN_OT_bake,)
