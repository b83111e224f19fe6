"""What is asked of a server about slaves' errands."""

from __future__ import annotations

from urllib.parse import quote

from farm.client.farmclient import FarmClient
from farm.protocol.errands import ErrandText, ErrandView, SendErrand


class ErrandCalls:
    """What slaves are asked to do, and how that went.

    Args:
        client: who talks.
    """

    def __init__(self, client: FarmClient) -> None:
        self._client = client

    def send(self, slave: str, wish: SendErrand) -> ErrandView:
        """Have a slave do something."""
        return self._client.post(_path(slave), ErrandView, wish)

    def look(self, slave: str, number: int) -> ErrandView | None:
        """Return how an errand went; None: it is long ago."""
        return next((one for one in self._client.listed(_path(slave), ErrandView) if one.number == number), None)

    def text(self, slave: str, number: int) -> str:
        """Return what a slave showed: the end of its log."""
        return self._client.get(f"{_path(slave)}/{number}/text", ErrandText).text


def _path(slave: str) -> str:
    return f"/api/slaves/{quote(slave, safe='')}/errands"
