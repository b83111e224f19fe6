"""What is let in of what other servers say: signed by a peer, meant for this server, fresh, said once, and allowed."""

from __future__ import annotations

import contextlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Row

from farm.accounts.identity import Identity
from farm.accounts.throttle import Limit, Throttle
from farm.database.handle import Database
from farm.peers import book, guests, lending
from farm.peers.keys import verify
from farm.protocol.peers import PEERING, PeerState
from farm.protocol.signed import SKEW, SLAVE, STREAMED, Letter, unfit
from farm.words import clock
from farm.words.errors import (
    DistrenError,
    Forbidden,
    PeeringPaused,
    PeerRefused,
    TooManyRequests,
    Unauthenticated,
)
from farm.words.pace import Bucket

log = structlog.get_logger(__name__)

RATE, BURST = 200.0, 400.0
"""Requests of one peer: per second, and at once. Our own servers send no more (:mod:`farm.peers.peering`)."""

WRONG = Limit(pair=30, address=100, name=10**9)
"""Wrong signatures within five minutes: they count by where they come from, so others can't shut a peer out."""

REPORTS = 0.2, 20.0
"""What was refused is written down for admins so often: per second, and at once."""

REMEMBERED = 100_000
"""Messages that are remembered so that none is taken twice; a peer can't say more while they are fresh."""

SERVERS = "/api/peering/"
"""Addresses that servers call for themselves."""

_READS = re.compile(r"/api/(server|methods|events|accounts/me|blobs/[0-9a-f]{64}/offset|jobs(/.*)?)")
_WRITES = re.compile(
    r"POST /api/jobs(/check|/\d+/(queue|pause|resume|approve|cancel|retry))?"
    r"|(PATCH|DELETE) /api/jobs/\d+|PUT /api/blobs/[0-9a-f]{64}"
)


SLAVES = "/api/slave/"
"""Addresses that a peer's slaves call, through the peer: what changes something there holds once by its own rules."""

_RENDERS = re.compile(
    r"POST /api/slave/next|PUT /api/slave/results/\d+"
    r"|(GET|HEAD) /api/slave/(jobs/\d+(/frames/\d+/required)?|blobs/[0-9a-f]{64}|results/\d+/offset)"
)


class Gate:
    """Admit what peers say.

    Args:
        name: this server's.
        database: the book of peers.
        quota: bytes that a peer's user may keep stored here.
        now: the clock, µs.
    """

    def __init__(self, name: str, database: Database, quota: int, now: Callable[[], int] = clock.now) -> None:
        self._name = name
        self._database = database
        self._quota = quota
        self._now = now
        self._heard: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._paces: dict[str, Bucket] = {}
        self._reports: dict[str, Bucket] = {}
        self._wrong = Throttle(WRONG)

    async def admit(self, letter: Letter, signature: bytes, address: str) -> Identity | None:
        """Return for whom a peer asks; None: for itself.

        Args:
            letter: what it says.
            signature: of that.
            address: where it comes from.

        Raises:
            PeerRefused, PeeringPaused, Forbidden, TooManyRequests, VersionUnfit: it is not let in, and why; admins see
                that among what they know of the peer.
        """
        try:
            return await self._admitted(letter, signature, address)
        except PeeringPaused:
            raise  # by an admin here, who knows
        except DistrenError as error:
            await self._report(letter.sender, error, address)
            raise

    async def _admitted(self, letter: Letter, signature: bytes, address: str) -> Identity | None:
        peer = await self._signed(letter, signature, address)
        self._fresh(letter)
        path = letter.target.partition("?")[0]
        if peer.state == PeerState.PAUSED and path != f"{SERVERS}end":
            raise PeeringPaused(f"An admin of {self._name} has paused the exchange with {letter.sender}.")
        _must_be_allowed(letter, path)
        if path.startswith(SLAVES):
            return await self._database.read(
                partial(lending.identity, slave=letter.user.removeprefix(SLAVE), peer=letter.sender)
            )
        if letter.method not in ("GET", "HEAD"):
            # Also over a restart of this server.
            await self._database.write(partial(book.once, peer=letter.sender, nonce=letter.nonce, at=self._now()))
        return await self._guest(letter, peer) if letter.user else None

    async def still(self, peer: str) -> bool:
        """Tell whether a server is a peer, and not paused."""
        row = await self._database.read(partial(book.find, name=peer))
        return row is not None and row.state == PeerState.ACTIVE

    async def _signed(self, letter: Letter, signature: bytes, address: str) -> Row[Any]:
        if letter.peering != PEERING:
            raise unfit(letter.sender, letter.peering)
        if letter.to != self._name:
            raise PeerRefused(f"This is {self._name}; the message was for {letter.to}.")
        self._wrong.check(letter.sender, address, self._now())
        peer = await self._database.read(partial(book.find, name=letter.sender))
        if peer is None or peer.state == PeerState.ENDED:
            self._wrong.wrong(letter.sender, address, self._now())
            raise PeerRefused(f"{self._name} exchanges no jobs with “{letter.sender}”.")
        try:
            verify(peer.key, letter.text(), signature)
        except Unauthenticated as error:
            self._wrong.wrong(letter.sender, address, self._now())
            raise PeerRefused(f"The signature is none of {letter.sender}'s.") from error
        return peer

    def _fresh(self, letter: Letter) -> None:
        """Refuse what is too old, too many or said before."""
        apart = letter.at - self._now()
        if abs(apart) > SKEW:
            seconds = clock.seconds(apart)
            raise PeerRefused(
                f"The message is of {seconds:+.0f} seconds from now; at most {clock.seconds(SKEW):.0f} are allowed.",
                hint="Set both servers' clocks, by NTP.",
            )
        key = (letter.sender, letter.nonce)
        if key in self._heard:
            raise book.said_before(letter.sender)
        wait = self._paces.setdefault(letter.sender, Bucket(RATE, BURST)).take(time.monotonic())
        if wait:
            text = f"{letter.sender} asks more than {RATE:.0f} times a second."
            raise TooManyRequests(text, hint="Wait a moment.", retry_after=max(1, round(wait)))
        self._heard[key] = letter.at
        while len(self._heard) > REMEMBERED or next(iter(self._heard.values())) < self._now() - 2 * SKEW:
            self._heard.popitem(last=False)

    async def _guest(self, letter: Letter, peer: Row[Any]) -> Identity:
        ask = partial(guests.identity, user=letter.user, peer=letter.sender, sees_all=peer.sees_all)
        found = await self._database.read(ask)
        if found is None:
            make = partial(guests.welcome, user=letter.user, peer=letter.sender, quota=self._quota, at=self._now())
            await self._database.write(make)
            found = await self._database.read(ask)
        if found is None:
            raise PeerRefused(f"{letter.user} of {letter.sender} could not be welcomed.")
        return found

    async def _report(self, peer: str, error: DistrenError, address: str) -> None:
        """Let admins know that something was refused that came in a peer's name; not more often than they can read."""
        if peer not in self._reports:
            row = await self._database.read(partial(book.find, name=peer))
            if row is None or row.state == PeerState.ENDED:
                return  # whoever it is: nobody here knows them
            self._reports[peer] = Bucket(*REPORTS)
        if self._reports[peer].take(time.monotonic()):
            return
        log.warning("A peer's message was refused.", peer=peer, address=address, reason=error.message)
        text = f"Refused what came from {address}: {error.message}"
        with contextlib.suppress(DistrenError):  # what can't be written down now was logged
            await self._database.write(partial(book.erred, name=peer, error=text, at=self._now()))


def _must_be_allowed(letter: Letter, path: str) -> None:
    """Refuse what no peer may do: all that is not about jobs."""
    if letter.digest == STREAMED and not path.startswith(("/api/blobs/", f"{SLAVES}results/")):
        raise PeerRefused("Only files may come without their hash in the signature: it is in their address.")
    slave = letter.user.startswith(SLAVE)
    if slave != path.startswith(SLAVES):
        allowed = False
    elif slave:
        allowed = _RENDERS.fullmatch(f"{letter.method} {path}") is not None
    elif not letter.user:
        allowed = path.startswith(SERVERS)
    elif letter.method in ("GET", "HEAD"):
        allowed = _READS.fullmatch(path) is not None
    else:
        allowed = _WRITES.fullmatch(f"{letter.method} {path}") is not None
    if not allowed:
        hint = "They submit, see, control and fetch jobs."
        raise Forbidden(f"Other servers may not {letter.method} {path[:100]}.", hint=hint)
