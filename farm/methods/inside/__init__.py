"""What the session children of all methods share: standard library only, for a renderer's own Python may run it."""
