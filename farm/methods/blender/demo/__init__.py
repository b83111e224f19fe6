"""The demo's animation: a script that makes it in any Blender."""
