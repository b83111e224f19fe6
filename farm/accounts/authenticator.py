"""Who holds this token? Asked for every request, so answered from memory where it can be."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from farm.accounts import logins, opaque
from farm.accounts.identity import Identity
from farm.database.handle import Database
from farm.words import clock
from farm.words.errors import Unavailable

log = structlog.get_logger(__name__)

TTL = 10 * clock.SECOND
"""µs that an answer is believed: the longest that a token, revoked by another process, still works here."""

REMEMBERED = 20_000
"""The most tokens that are remembered."""


@dataclass(frozen=True, slots=True)
class _Known:
    identity: Identity
    until: int


class Authenticator:
    """Find who holds a token.

    Args:
        database: where logins are.
        now: the clock.
    """

    def __init__(self, database: Database, now: Callable[[], int] = clock.now) -> None:
        self._database = database
        self._now = now
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._notes: set[asyncio.Task[None]] = set()

    async def identify(self, token: str) -> Identity | None:
        """Return who holds a token; None: it is unknown, revoked or expired."""
        digest, at = opaque.digest(token), self._now()
        known = self._known.get(digest)
        if known is not None and 0 < known.until - at <= TTL:  # later than that: the clock was put back
            return known.identity
        return await self._look_up(digest, at)

    def forget(self, token: bytes) -> None:
        """Believe nothing about a token any more: it was revoked."""
        self._known.pop(token, None)

    def forget_slave(self, slave: int) -> None:
        """Believe nothing about a slave's tokens any more."""
        for token in [t for t, k in self._known.items() if k.identity.is_slave and k.identity.id == slave]:
            del self._known[token]

    async def _look_up(self, digest: bytes, at: int) -> Identity | None:
        self._known.pop(digest, None)
        login = await self._database.read(partial(logins.find, token=digest, at=at))
        if login is None:
            return None
        self._known[digest] = _Known(login.identity, at + TTL)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        if at - login.used >= logins.NOTED_EVERY:
            self._note_later(digest, at)
        return login.identity

    def _note_later(self, digest: bytes, at: int) -> None:
        note = asyncio.get_running_loop().create_task(self._note(digest, at))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _note(self, digest: bytes, at: int) -> None:
        try:
            await self._database.write(partial(logins.note_use, token=digest, at=at))
        except Unavailable as error:
            log.info("A token's use could not be noted; the next request tries again.", reason=error.message)
