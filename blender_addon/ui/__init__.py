"""What the artist sees and presses: the only part that uses bpy, in Blender's main thread only."""
