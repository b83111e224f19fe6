"""What is asked of a server about its peers, and what servers ask each other."""

from __future__ import annotations

from urllib.parse import quote

from farm.client.answers import understood
from farm.client.farmclient import FarmClient
from farm.protocol.lending import Borrow, Lend, PeerAudit
from farm.protocol.peers import (
    WELL_KNOWN,
    AcceptPeer,
    Introduction,
    MakePeerInvite,
    NewKey,
    PeerInviteMade,
    PeerView,
    Rotate,
    Rotated,
    ServerCard,
)


class PeerCalls:
    """A server's peers.

    Args:
        client: who talks.
    """

    def __init__(self, client: FarmClient) -> None:
        self._client = client

    def peers(self) -> list[PeerView]:
        """Return all peers."""
        return self._client.listed("/api/peers", PeerView)

    def invite(self, wish: MakePeerInvite) -> PeerInviteMade:
        """Make a code for the admin of another server (admins); it is shown this once."""
        return self._client.post("/api/peers/invites", PeerInviteMade, wish)

    def accept(self, wish: AcceptPeer) -> PeerView:
        """Become a peer of the server whose admin made a code (admins)."""
        return self._client.post("/api/peers", PeerView, wish)

    def pause(self, name: str) -> None:
        """Let nothing of a peer in for now (admins)."""
        self._client.send("POST", f"/api/peers/{quote(name, safe='')}/pause")

    def resume(self, name: str) -> None:
        """Let a paused peer in again (admins)."""
        self._client.send("POST", f"/api/peers/{quote(name, safe='')}/resume")

    def end(self, name: str, *, confirmed: bool = False) -> None:
        """End the exchange with a peer (admins)."""
        self._client.send("DELETE", f"/api/peers/{quote(name, safe='')}", params={"confirmed": confirmed})

    def lend(self, name: str, terms: Lend | None) -> None:
        """Lend slaves to a peer on these terms; None: no more (admins)."""
        self._agree(name, "lend", terms)

    def borrow(self, name: str, terms: Borrow | None) -> None:
        """Let slaves that a peer lends render here; None: no more (admins)."""
        self._agree(name, "borrow", terms)

    def audit(self, name: str) -> PeerAudit:
        """Compare the server's book with a peer's (admins)."""
        return self._client.post(f"/api/peers/{quote(name, safe='')}/audit", PeerAudit)

    def _agree(self, name: str, what: str, terms: Lend | Borrow | None) -> None:
        address = f"/api/peers/{quote(name, safe='')}/{what}"
        if terms is None:
            self._client.send("DELETE", address)
        else:
            self._client.send("PUT", address, terms)

    def rotate(self, wish: Rotate) -> Rotated:
        """Make new keys (admins)."""
        return self._client.post("/api/peers/rotate", Rotated, wish)

    # --- between servers ---

    def card(self) -> ServerCard:
        """Return who the server is, as anyone may know it."""
        with understood(self._client.server):
            return ServerCard.model_validate_json(self._client.send("GET", WELL_KNOWN).content)

    def introduce(self, introduction: Introduction) -> ServerCard:
        """Become a peer by a code's secret."""
        return self._client.post("/api/peering/introduction", ServerCard, introduction)

    def hello(self) -> ServerCard:
        """Ask a peer whether it lives; it says who it is now."""
        return self._client.post("/api/peering/hello", ServerCard)

    def new_key(self, news: NewKey) -> None:
        """Tell a peer this server's new public key."""
        self._client.send("POST", "/api/peering/key", body=news)

    def goodbye(self) -> None:
        """Tell a peer that the exchange has ended."""
        self._client.send("POST", "/api/peering/end")
