"""A farm of pretend slaves over real HTTP: load without renderers."""
