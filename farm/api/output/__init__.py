"""Finished files."""
