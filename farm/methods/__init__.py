"""Render methods: one folder each, with plan, run, and what runs inside the renderer."""
