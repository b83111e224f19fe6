"""The pictures of the chosen job's latest frames, in the panel: in no file of the artist's."""

from __future__ import annotations

import os
from typing import Any

import bpy
import bpy.utils.previews

from ..comms.messages import Thumbnails


class Shelf:
    """Previews of Blender's, by path."""

    def __init__(self) -> None:
        self._previews: Any = None
        self._shown: Thumbnails | None = None

    def show(self, thumbnails: Thumbnails | None) -> None:
        """Load thumbnails; those before them are forgotten."""
        if thumbnails is None or thumbnails is self._shown:
            return
        if self._previews is None:
            self._previews = bpy.utils.previews.new()
        self._previews.clear()
        for path in thumbnails.paths.values():
            if os.path.isfile(path):
                self._previews.load(path, path, "IMAGE")
        self._shown = thumbnails

    def icons(self, job: int) -> list[tuple[int, int]]:
        """Return frames of a job and the numbers by which Blender draws their pictures, the latest last."""
        if self._shown is None or self._shown.job != job:
            return []
        found = self._shown.paths.items()
        return [(frame, int(self._previews[path].icon_id)) for frame, path in found if path in self._previews]

    def close(self) -> None:
        """Forget all."""
        if self._previews is not None:
            bpy.utils.previews.remove(self._previews)
        self._previews, self._shown = None, None


shelf = Shelf()
show, icons, close = shelf.show, shelf.icons, shelf.close
