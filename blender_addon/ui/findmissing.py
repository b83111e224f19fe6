"""Look for missing files in a folder that the artist names, as Blender does, but leave what libraries name alone.

Blender writes paths relative to the open file into what is linked, where they are relative to the library.
"""

from typing import Any

import bpy

KINDS = ("images", "movieclips", "sounds", "fonts", "volumes", "cache_files")
"""Data that names files."""


class DISTREN_OT_find_missing(bpy.types.Operator):
    """Look for the missing files in a folder and all below it; what a library names is to be mended in that library."""

    bl_idname = "distren.find_missing"
    bl_label = "Find Missing Files"
    bl_options = {"UNDO", "INTERNAL"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask for the folder."""
        self.directory = bpy.path.abspath("//")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Any) -> set[str]:
        """Look there."""
        linked = [(thing, thing.filepath) for kind in KINDS for thing in getattr(bpy.data, kind) if thing.library]
        bpy.ops.file.find_missing_files(directory=self.directory)
        for thing, path in linked:
            if thing.filepath != path:
                thing.filepath = path
        return {"FINISHED"}


CLASSES = (DISTREN_OT_find_missing,)
