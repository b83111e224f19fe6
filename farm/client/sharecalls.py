"""What is asked of a server about how it is shared."""

from __future__ import annotations

from urllib.parse import quote

from farm.client.farmclient import FarmClient
from farm.protocol.shares import SharesView, ShareTerms, UserShareWish


class ShareCalls:
    """The terms on which a farm is shared.

    Args:
        client: who talks.
    """

    def __init__(self, client: FarmClient) -> None:
        self._client = client

    def shares(self) -> SharesView:
        """Return the terms."""
        return SharesView.model_validate(self._client.send("GET", "/api/shares").json())

    def change(self, wish: ShareTerms) -> None:
        """Change the terms (admins)."""
        self._client.send("PUT", "/api/shares", body=wish)

    def change_user(self, name: str, wish: UserShareWish) -> None:
        """Change a user's share (admins)."""
        self._client.send("PUT", f"/api/shares/{quote(name, safe='')}", body=wish)
