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


RENEWED_EVERY = 4
"""Seconds between two looks for answers that end soon: two of them fit into what an answer is believed."""

IN_USE = 120 * clock.SECOND
"""µs after its last use that a token is asked for again: longer than the slowest heartbeat."""

AT_ONCE = 500
"""Tokens in one question to the database."""


@dataclass(slots=True)
class _Known:
    identity: Identity
    until: int
    used: int


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
        self._forgotten = 0

    async def identify(self, token: str) -> Identity | None:
        """Return who holds a token; None: it is unknown, revoked or expired."""
        digest, at = opaque.digest(token), self._now()
        known = self._known.get(digest)
        if known is not None and 0 < known.until - at <= TTL:  # later than that: the clock was put back
            known.used = at
            return known.identity
        return await self._look_up(digest, at)

    async def renew(self) -> None:
        """Ask anew, together, for the tokens in use whose answers end soon.

        To ask for each when its next request comes costs more than all else that a waiting slave's heartbeat needs.
        """
        at = self._now()
        soon, lately = at + TTL // 2, at - IN_USE
        due = [(token, known) for token, known in self._known.items() if known.until <= soon and known.used > lately]
        for begin in range(0, len(due), AT_ONCE):
            these = dict(due[begin : begin + AT_ONCE])
            found = await self._database.read(partial(logins.find_all, some=list(these), at=at))
            for token, known in these.items():
                if self._known.get(token) is known:  # else it was forgotten meanwhile
                    self._believe(token, found.get(token), at, known.used)

    def forget(self, token: bytes) -> None:
        """Believe nothing about a token any more: it was revoked."""
        self._forgotten += 1
        self._known.pop(token, None)

    def forget_slave(self, slave: int) -> None:
        """Believe nothing about a slave's tokens any more."""
        self._forgotten += 1
        for token in [t for t, k in self._known.items() if k.identity.is_slave and k.identity.id == slave]:
            del self._known[token]

    async def _look_up(self, digest: bytes, at: int) -> Identity | None:
        self._known.pop(digest, None)
        forgotten = self._forgotten
        login = await self._database.read(partial(logins.find, token=digest, at=at))
        if login is None:
            return None
        if forgotten == self._forgotten:  # else it may be this one that was revoked while it was read
            self._believe(digest, login, at, at)
        return login.identity

    def _believe(self, token: bytes, login: logins.Login | None, at: int, used: int) -> None:
        self._known.pop(token, None)
        if login is None:
            return
        self._known[token] = _Known(login.identity, at + TTL, used)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        if used - login.used >= logins.NOTED_EVERY:
            self._note_later(token, used)

    def _note_later(self, digest: bytes, at: int) -> None:
        note = asyncio.get_running_loop().create_task(self._note(digest, at))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _note(self, digest: bytes, at: int) -> None:
        try:
            await self._database.write(partial(logins.note_use, token=digest, at=at))
        except Unavailable as error:
            log.info("A token's use could not be noted; the next request tries again.", reason=error.message)
