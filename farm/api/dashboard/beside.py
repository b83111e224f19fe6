"""What the list of jobs shows of other servers: what each said last, or says now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from farm.accounts.identity import Identity
from farm.api.services import Services
from farm.jobs.jobviews import Filter
from farm.peers import book
from farm.peers.elsewhere import Seen
from farm.protocol.peers import PeerState, PeerView
from farm.words.clock import moment


@dataclass(frozen=True, slots=True)
class There:
    """A peer, and what is known of a user's jobs there."""

    peer: PeerView
    seen: Seen
    query: str

    @property
    def when(self) -> datetime | None:
        """When it said so."""
        return moment(self.seen.at)


async def peers(farm: Services) -> list[PeerView]:
    """Return the servers at which users here may have jobs."""
    found = await farm.database.read(partial(book.views, errors=False))
    return [peer for peer in found if peer.state != PeerState.ENDED]


async def there(
    farm: Services, user: Identity, chosen: Sequence[PeerView], wanted: Filter, query: str, *, ask: bool
) -> list[There]:
    """Return what is known of a user's jobs at peers.

    Args:
        farm: the server's parts.
        user: whose.
        chosen: the peers.
        wanted: which jobs; `after` is a number of a peer's if there is one.
        query: the page's own.
        ask: ask them now, and wait for the answers a little.
    """
    given = {"state": wanted.states, "owner": wanted.owner, "project": wanted.project, "search": wanted.search}
    said = {name: value for name, value in given.items() if value} | {"limit": str(wanted.limit)}
    if wanted.after is not None:
        said["after"] = str(wanted.after)
    look = farm.elsewhere.jobs if ask else farm.elsewhere.last
    found = [look(peer.name, user.name, said) for peer in chosen]
    return [There(peer, seen, query) for peer, seen in zip(chosen, await asyncio.gather(*found), strict=True)]
