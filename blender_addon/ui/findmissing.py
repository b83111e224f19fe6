"""Look for missing files in a folder that the artist names, as Blender does, but leave what libraries name alone.

Blender writes paths relative to the open file into what is linked, where they are relative to the library, and forgets
these when the file is read again. So what a library names is mended in that library: in a Blender of its own.
"""

import os
import subprocess
from typing import Any

import bpy

from ..comms.trouble import Trouble
from ..paths import library_file
from ..wishes import Finding
from .accountoperators import told
from .desk import desk

KINDS = ("images", "movieclips", "sounds", "fonts", "volumes", "cache_files")
"""Data that names files."""

SHOWN = 5
"""How many libraries can be opened by a button."""


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


class DISTREN_OT_open_library(bpy.types.Operator):
    """Open the library in another Blender, to mend there what it names; save it, then press Reload here."""

    bl_idname = "distren.open_library"
    bl_label = "Open the library"
    bl_options = {"INTERNAL"}

    path: bpy.props.StringProperty(name="Library", subtype="FILE_PATH", options={"SKIP_SAVE"})

    def execute(self, _context: Any) -> set[str]:
        """Open it; this Blender goes on."""
        if not bpy.app.binary_path:
            return told(self, Trouble("This Blender has no windows.", f"Mend {self.path} in another one."))
        subprocess.Popen([bpy.app.binary_path, self.path], start_new_session=True)
        return {"FINISHED"}


class DISTREN_OT_reload_libraries(bpy.types.Operator):
    """Read the libraries anew that files were missing in."""

    bl_idname = "distren.reload_libraries"
    bl_label = "Reload"
    bl_options = {"INTERNAL"}

    def execute(self, _context: Any) -> set[str]:
        """Read them."""
        paths = {finding.library for finding in desk.findings if finding.library}
        for library in [one for one in bpy.data.libraries if library_file(one) in paths]:
            library.reload()
        return {"FINISHED"}


def draw(layout: Any, missing: list[Finding]) -> None:
    """Offer what helps: to look for what the open file names, to open the libraries that name the rest."""
    if any(not finding.library for finding in missing):
        layout.operator("distren.find_missing", icon="FILE_FOLDER")
    libraries = sorted({finding.library for finding in missing if finding.library})
    for path in libraries[:SHOWN]:
        made = layout.operator(
            "distren.open_library", text=f"Open {os.path.basename(path)}", icon="LIBRARY_DATA_DIRECT"
        )
        made.path = path
    if libraries:
        layout.operator("distren.reload_libraries", text="Reload these libraries", icon="FILE_REFRESH")


CLASSES = (DISTREN_OT_find_missing, DISTREN_OT_open_library, DISTREN_OT_reload_libraries)
