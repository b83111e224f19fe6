"""What a server knows of itself among others."""

from __future__ import annotations

from dataclasses import dataclass

from farm import __version__
from farm.methods.registry import METHODS
from farm.peers.keys import KeyRing
from farm.protocol.peers import PEERING, ServerCard


@dataclass
class Peering:
    """A server among others.

    Args:
        name: this server's.
        keys: its own.
    """

    name: str
    keys: KeyRing

    def card(self, url: str) -> ServerCard:
        """Return who this server is.

        Args:
            url: how others reach it.
        """
        return ServerCard(
            name=self.name,
            addresses=[url] if url else [],
            version=__version__,
            peering=PEERING,
            key=self.keys.public.hex(),
            methods=sorted(METHODS),
        )
