"""The `image` render method: puts the tiles of pictures together."""

from __future__ import annotations

import sys
from pathlib import Path

from farm.methods.base import Launcher, MethodConfig, Offered
from farm.methods.combining import CombiningMethod
from farm.methods.tiles import TILES
from farm.protocol.methods import MethodDescription, SettingDescription
from farm.protocol.slaves import Offer

VERSION = "1.0"

_OUTPUTS = SettingDescription(
    name="outputs",
    title="Places at home",
    type="text",
    whole=True,
    help="The client fills this in: as that of the job with the tiles.",
)


class ImageMethod(CombiningMethod):
    """Puts tiles together; every slave can."""

    name = "image"

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        return MethodDescription(
            name=self.name,
            title="Tiles to pictures",
            help="Puts the tiles together that the frames rendered which a frame waits for, without loss.",
            source_suffixes=[],
            combines=True,
            settings=[TILES[0], _OUTPUTS],
        )

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the one renderer, which is this Python."""
        offer = Offer(method=self.name, version=VERSION, detail="PNG, OpenEXR, TIFF, BMP, Targa")
        return [Offered(offer, Launcher("python", Path(sys.executable)))]


METHOD = ImageMethod()
