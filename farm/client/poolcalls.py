"""What is asked of a server about pools and tags."""

from __future__ import annotations

from urllib.parse import quote

from farm.client.farmclient import FarmClient
from farm.protocol.pools import PoolView, PoolWish, SlaveTags


class PoolCalls:
    """Pools of slaves, and slaves' tags.

    Args:
        client: who talks.
    """

    def __init__(self, client: FarmClient) -> None:
        self._client = client

    def pools(self) -> list[PoolView]:
        """Return all pools."""
        return self._client.listed("/api/pools", PoolView)

    def put(self, name: str, wish: PoolWish) -> None:
        """Make or change a pool (admins)."""
        self._client.send("PUT", f"/api/pools/{quote(name, safe='')}", body=wish)

    def remove(self, name: str) -> None:
        """Undo a pool (admins)."""
        self._client.send("DELETE", f"/api/pools/{quote(name, safe='')}")

    def tag(self, slave: str, tags: list[str]) -> None:
        """Give a slave tags (admins)."""
        self._client.send("PUT", f"/api/slaves/{quote(slave, safe='')}/tags", body=SlaveTags(tags=tags))
