"""Pools of slaves, and tags."""
