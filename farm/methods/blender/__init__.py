"""Render with Blender: an executable or a bpy wheel, kept open between frames."""
