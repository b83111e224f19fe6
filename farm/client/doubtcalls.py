"""What admins ask of a server about frames that others drew otherwise."""

from __future__ import annotations

from urllib.parse import quote

from farm.client.farmclient import FarmClient
from farm.protocol.doubts import BuildsTrusted, DoubtView


class DoubtCalls:
    """Doubts, and what becomes of them.

    Args:
        client: who talks.
    """

    def __init__(self, client: FarmClient) -> None:
        self._client = client

    def doubts(self) -> list[DoubtView]:
        """Return what is in doubt, newest first."""
        return self._client.listed("/api/doubts", DoubtView)

    def trust(self, slave: str) -> list[str]:
        """Trust a slave's build on its owner's machines; return which."""
        return self._client.post(f"{_of(slave)}/trust", BuildsTrusted).builds

    def distrust(self, slave: str) -> list[str]:
        """Trust no builds any more on the machines of a slave's owner; return which were."""
        answer = self._client.send("DELETE", f"{_of(slave)}/trust")
        return BuildsTrusted.model_validate(answer.json()).builds

    def convict(self, slave: str) -> None:
        """Say that what a slave drew is false."""
        self._client.send("POST", f"{_of(slave)}/convict")


def _of(slave: str) -> str:
    return f"/api/doubts/{quote(slave, safe='')}"
