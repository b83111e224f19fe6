"""What runs at the artist's desk, inside Blender: standard library and bpy only."""
