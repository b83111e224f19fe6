"""What runs in Blender's own Python: standard library and bpy only."""
