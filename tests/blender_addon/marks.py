"""Inside a Blender with a window: draw one button of the add-on red, so that it can be found by its name."""

from __future__ import annotations

from typing import Any

import bpy

PARTS = ("row", "column", "box", "split", "column_flow", "grid_flow")


class Marks:
    """Which button is red: an operator by its text, or without one by its id; a field by its property; a panel by its
    class. A name that ends with `*` is a beginning.
    """

    name = ""

    @classmethod
    def meant(cls, name: Any) -> bool:
        beginning = cls.name.endswith("*") and str(name).startswith(cls.name[:-1])
        return bool(cls.name) and (beginning or name == cls.name)


class Layout:
    """A layout of Blender's that draws what is meant in red."""

    def __init__(self, real: Any) -> None:
        object.__setattr__(self, "_real", real)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in PARTS:
            return lambda *words, **how: Layout(found(*words, **how))
        return found

    def operator(self, identifier: Any, **how: Any) -> Any:
        return self._drawn(self._real.operator, how.get("text") or identifier, identifier, **how)

    def prop(self, owner: Any, name: Any, **how: Any) -> None:
        self._drawn(self._real.prop, name, owner._real if isinstance(owner, Seen) else owner, name, **how)

    def _drawn(self, draw: Any, name: Any, *words: Any, **how: Any) -> Any:
        self._real.alert = Marks.meant(name)
        try:
            return draw(*words, **how)
        finally:
            self._real.alert = False


class Seen:
    """What draws: a panel, a dialog, preferences; with our layout."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.layout = Layout(real.layout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def watch(classes: Any) -> None:
    """Let all that these classes draw be found."""
    panels = [one for one in classes if issubclass(one, bpy.types.Panel)]
    for one in reversed(panels):
        bpy.utils.unregister_class(one)
        one.draw_header = _header
    for one in panels:
        bpy.utils.register_class(one)
    for one in classes:
        if "draw" in vars(one):
            one.draw = _drawing(one.draw)


def _drawing(draw: Any) -> Any:
    def drawn(self: Any, context: Any) -> None:
        # The preferences in front of it have some of a panel's buttons, too: these are meant.
        behind = len(context.window_manager.windows) > 1 and isinstance(self, bpy.types.Panel)
        draw(self if behind else Seen(self), context)

    return drawn


def _header(self: Any, _context: Any) -> None:
    if Marks.meant(type(self).__name__):
        self.layout.label(text="", icon="COLORSET_01_VEC")  # a red square


def redraw() -> None:
    """Draw anew where buttons of ours are: where the processor draws, a 3D view takes a second."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("PROPERTIES", "PREFERENCES"):
                area.tag_redraw()
