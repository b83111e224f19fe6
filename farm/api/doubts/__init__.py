"""Doubts about what slaves drew."""
