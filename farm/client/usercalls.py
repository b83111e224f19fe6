"""What is asked of a server about its users, and their slaves' power."""

from __future__ import annotations

from urllib.parse import quote

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import ChangePassphrase, LoginGranted, Quota, Recover, RecoveryMade, Standing, UserView
from farm.protocol.points import RatingView
from farm.protocol.why import DeedView


class UserCalls:
    """Users' passphrases and standing, and the power of their slaves.

    Args:
        client: who talks.
    """

    def __init__(self, client: FarmClient) -> None:
        self._client = client

    def change_passphrase(self, wish: ChangePassphrase) -> None:
        """Choose a new passphrase, by the old one."""
        self._client.send("POST", "/api/accounts/passphrase", body=wish)

    def recover(self, wish: Recover) -> LoginGranted:
        """Choose a new passphrase by an admin's code; needs no token."""
        return self._client.post("/api/accounts/recover", LoginGranted, wish)

    def users(self) -> list[UserView]:
        """Return all users (admins)."""
        return self._client.listed("/api/accounts/users", UserView)

    def make_recovery(self, name: str) -> RecoveryMade:
        """Make a recovery code for a user (admins); it is shown this once."""
        return self._client.post(f"/api/accounts/users/{quote(name, safe='')}/recovery", RecoveryMade)

    def set_disabled(self, name: str, *, disabled: bool) -> None:
        """Keep a user out, or let them in again (admins)."""
        path = f"/api/accounts/users/{quote(name, safe='')}/standing"
        self._client.send("PUT", path, body=Standing(disabled=disabled))

    def set_quota(self, name: str, size: int) -> None:
        """Say how many bytes a user may keep stored (admins)."""
        self._client.send("PUT", f"/api/accounts/users/{quote(name, safe='')}/quota", body=Quota(bytes=size))

    def measure(self, slave: str) -> list[RatingView]:
        """Have a slave of one's own measured; the first ratings are of what was begun."""
        answer = self._client.send("POST", f"/api/slaves/{quote(slave, safe='')}/benchmark")
        return [RatingView.model_validate(one) for one in answer.json()]

    def ratings(self, slave: str) -> list[RatingView]:
        """Return what a slave was measured at, newest first."""
        return self._client.listed(f"/api/slaves/{quote(slave, safe='')}/benchmark", RatingView)

    def deeds(self) -> list[DeedView]:
        """Return who did what (admins), newest first."""
        return self._client.listed("/api/deeds", DeedView)
