"""The picture of the chosen job's latest frame, in the panel: in no file of the artist's."""

from __future__ import annotations

import os
from typing import Any

import bpy
import bpy.utils.previews

from ..comms.messages import Thumbnail


class Shelf:
    """Previews of Blender's, by path."""

    def __init__(self) -> None:
        self._previews: Any = None
        self._shown = ""

    def show(self, thumbnail: Thumbnail | None) -> None:
        """Load a thumbnail; the one before it is forgotten."""
        if thumbnail is None or thumbnail.path == self._shown or not os.path.isfile(thumbnail.path):
            return
        if self._previews is None:
            self._previews = bpy.utils.previews.new()
        self._previews.clear()
        self._previews.load(thumbnail.path, thumbnail.path, "IMAGE")
        self._shown = thumbnail.path

    def icon(self, thumbnail: Thumbnail | None) -> int:
        """Return the number by which Blender draws it; 0: there is none."""
        if thumbnail is None or self._previews is None or thumbnail.path not in self._previews:
            return 0
        return int(self._previews[thumbnail.path].icon_id)

    def close(self) -> None:
        """Forget all."""
        if self._previews is not None:
            bpy.utils.previews.remove(self._previews)
        self._previews, self._shown = None, ""


shelf = Shelf()
show, icon, close = shelf.show, shelf.icon, shelf.close
