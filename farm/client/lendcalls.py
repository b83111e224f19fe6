"""What is asked of a server about lending slaves, and to whom."""

from __future__ import annotations

from urllib.parse import quote

from farm.client.farmclient import FarmClient
from farm.protocol.terms import FriendsView, MakeFriend, Terms


class LendCalls:
    """The terms of slaves, and their owners' friends.

    Args:
        client: who talks.
    """

    def __init__(self, client: FarmClient) -> None:
        self._client = client

    def terms(self, slave: str) -> Terms:
        """Return what was said of a slave of one's own."""
        return self._client.get(_terms(slave), Terms)

    def lend(self, slave: str, wish: Terms) -> Terms:
        """Lend a slave of one's own on these terms."""
        return Terms.model_validate(self._client.send("PUT", _terms(slave), body=wish).json())

    def stop(self, slave: str) -> None:
        """Pause a slave, and have it stop at once what it renders."""
        self._client.send("POST", f"/api/slaves/{quote(slave, safe='')}/stop")

    def friends(self) -> FriendsView:
        """Return whom one counts as friends, and who counts oneself."""
        return self._client.get("/api/friends", FriendsView)

    def befriend(self, name: str) -> FriendsView:
        """Count a user as a friend."""
        return self._client.post("/api/friends", FriendsView, MakeFriend(name=name))

    def part(self, name: str) -> None:
        """Count a user as a friend no more."""
        self._client.send("DELETE", f"/api/friends/{quote(name, safe='')}")


def _terms(slave: str) -> str:
    return f"/api/slaves/{quote(slave, safe='')}/terms"
