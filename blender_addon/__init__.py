"""What runs at the artist's desk, inside Blender: standard library and bpy only.

The parts that need no Blender are used by the `distren` command, too; bpy is imported by
register(), which only Blender calls.
"""

from __future__ import annotations

bl_info = {
    "name": "DistRen",
    "description": "Render on a farm: one button, the pictures come back",
    "author": "The DistRen developers",
    "version": (0, 1, 0),
    "blender": (3, 3, 0),
    "location": "Properties > Output > Render on Farm",
    "category": "Render",
}


def register() -> None:
    """Add the panel, the menu entries and the preferences to Blender."""
    from .ui import registration

    registration.register()


def unregister() -> None:
    """Take them away again."""
    from .ui import registration

    registration.unregister()
