"""Jobs at peers as users here see them: what a peer says now, or what it said last."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel

from farm.peers import book
from farm.peers.peering import Peering
from farm.protocol.jobs import FramePage, JobCommand, JobPage, JobView
from farm.protocol.peers import PeerState
from farm.words.clock import now
from farm.words.errors import DistrenError, PeeringPaused, Unreachable

PATIENCE = 4.0
"""Seconds for which a page waits for a peer at most."""

REMEMBERED = 1000
"""Answers that are kept, to be shown while a peer does not answer."""

PICTURES = 12
"""Finished frames of a job of which pictures are shown."""

Told = TypeVar("Told", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was last seen of a user's jobs at a peer: `at` (µs), or never; `error`: why that is not of now."""

    page: JobPage | None = None
    at: int | None = None
    error: str = ""


class Elsewhere:
    """Look for users' jobs at peers; no page waits longer than :data:`PATIENCE` for it.

    Args:
        peering: this server among others.
    """

    def __init__(self, peering: Peering) -> None:
        self._peering = peering
        self._seen: OrderedDict[tuple[str, str, str], Seen] = OrderedDict()

    async def last(self, peer: str, user: str, filters: dict[str, str]) -> Seen:
        """Return what was seen last; see :meth:`jobs`."""
        return self._seen.get((peer, user, urlencode(filters)), Seen())

    async def jobs(self, peer: str, user: str, filters: dict[str, str]) -> Seen:
        """Ask a peer for a user's jobs; if it does not answer, return what it said last, and why it is that.

        Args:
            peer: its name.
            user: of this server.
            filters: as `GET /api/jobs` has them.
        """
        query = urlencode(filters)
        try:
            page = await self._ask(JobPage, peer, user, "GET", f"/api/jobs?{query}")
            found = Seen(page, now())
        except DistrenError as error:
            found = replace(await self.last(peer, user, filters), error=error.message)
        self._seen[peer, user, query] = found
        self._seen.move_to_end((peer, user, query))
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return found

    async def job(self, peer: str, user: str, job: int) -> tuple[JobView, FramePage]:
        """Return a job at a peer, and some of its finished frames.

        Raises:
            DistrenError: the peer's word, or there is none.
        """
        done = f"/api/jobs/{job}/frames?state=done&limit={PICTURES}"
        return (
            await self._ask(JobView, peer, user, "GET", f"/api/jobs/{job}"),
            await self._ask(FramePage, peer, user, "GET", done),
        )

    async def command(self, peer: str, user: str, job: int, verb: str, *, confirmed: bool) -> None:
        """Pause, resume, cancel, retry or delete a job at a peer.

        Raises:
            DistrenError: the peer's word, or there is none.
        """
        row = await self._row(peer)
        if verb == "delete":
            await self._peering.asked(row, "DELETE", f"/api/jobs/{job}?confirmed={str(confirmed).lower()}", user=user)
        else:
            said = JobCommand(confirmed=confirmed)
            await self._peering.asked(row, "POST", f"/api/jobs/{job}/{verb}", said, user=user)

    async def _ask(self, kind: type[Told], peer: str, user: str, method: str, target: str) -> Told:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._peering.told(kind, await self._row(peer), method, target, user=user)
        except TimeoutError as error:
            raise Unreachable(f"{peer} does not answer within {PATIENCE:g} seconds.") from error

    async def _row(self, peer: str) -> book.PeerRow:
        row = await self._peering.database.read(partial(book.known, name=peer))
        if row.state == PeerState.PAUSED:
            raise PeeringPaused(f"An admin of {self._peering.name} has paused the exchange with {peer}.")
        return row
