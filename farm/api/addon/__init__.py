"""The add-on for Blender, to download, and as a repository for Blender's own updater."""
