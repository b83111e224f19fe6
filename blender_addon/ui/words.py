"""Texts in panels: Blender's labels do not wrap."""

from __future__ import annotations

import textwrap
from typing import Any

WIDTH = 6.4
"""Pixels of a letter in Blender's usual font, with a little room."""

MARGIN = 64
"""Pixels beside a text: icon, box, scroll bar."""


def other_version(ours: str, theirs: str) -> str:
    """Return what is said if server and add-on are of different minor versions; else an empty text."""
    same = ours.split(".")[:2] == theirs.split(".")[:2]
    return (
        ""
        if same
        else f"The server is of version {theirs}, this add-on of {ours}: get the server's from its page /addon."
    )


def paragraph(layout: Any, context: Any, text: str, icon: str = "NONE") -> None:
    """Draw a text in as many lines as the panel's width needs."""
    region = getattr(context, "region", None)
    width = region.width if region is not None else 400
    scale = context.preferences.system.ui_scale
    letters = max(20, int((width / scale - MARGIN) / WIDTH))
    column = layout.column(align=True)
    column.scale_y = 0.85
    for number, line in enumerate(textwrap.wrap(text, letters, break_on_hyphens=False) or [""]):
        column.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))
