"""Talking to a server: standard library only, no bpy, so it runs in threads and is tested without Blender."""
