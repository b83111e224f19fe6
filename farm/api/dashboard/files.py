"""What pages load beside themselves, and what of the dashboard needs no login."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "static"

FILES = {f"/static/{file.name}": file for file in FOLDER.iterdir() if file.is_file()}
"""Address → file."""

PUBLIC = frozenset({"/login", *FILES})
"""Addresses that anyone may open."""
