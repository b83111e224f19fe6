"""Where pretend slaves work: what a simulation must know of a server, whosever it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from farm.client.farmclient import FarmClient
from farm.protocol.joining import SlaveKeyMade
from farm.simulator.faults import Stage


class Site(Stage, Protocol):
    """A server, with the users and slaves that a simulation has there."""

    @property
    def url(self) -> str:
        """Its address."""

    @property
    def verify(self) -> bool | str:
        """How its certificate is checked."""

    @property
    def pool(self) -> str:
        """The pool whose slaves alone render the simulation's jobs; empty: all slaves are pretended."""

    @property
    def where(self) -> str:
        """What server that is, in words."""

    @property
    def undone(self) -> dict[str, str]:
        """Faults that can't happen here, and why."""

    def opened(self) -> AbstractContextManager[None]:
        """Make ready, and clear up afterwards."""

    def people(self, count: int) -> list[FarmClient]:
        """Return the users."""

    def slaves(self, count: int) -> list[SlaveKeyMade]:
        """Return the keys of slaves, which belong to the users in turn."""

    def size(self) -> tuple[int, int]:
        """Return the bytes of memory that its process takes, and those of its database's file; 0: not known."""

    def audit(self) -> list[str] | None:
        """Return what contradicts itself, while it works; None: that is not looked at here."""

    def audit_at_end(self) -> list[str]:
        """Return what contradicts itself when all is done, and nobody talks any more."""
