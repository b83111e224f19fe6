"""Lend this server's slaves to peers: what they have nothing to do for at home, they render for a peer.

Nothing of a peer's job is kept here: slaves' reports are taken apart, and each peer's part is passed on to it, signed.
So the peer's own rules hold for every frame (leases, fences, failures, ratings, points), and whichever of the two
servers ends at whichever moment, nothing is lost that a slave of the peer's own would not lose, and nothing is doubled.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from farm.accounts.identity import Identity
from farm.peers import account, book, lending, lent, limits
from farm.peers.limits import Use
from farm.peers.occupied import Occupied
from farm.peers.peering import Peering
from farm.protocol.lending import Lend, LentSlave, PeerWork
from farm.protocol.peers import PeerState
from farm.protocol.signed import SLAVE
from farm.protocol.slaves import Orders, Report
from farm.words.clock import now
from farm.words.errors import (
    Crowded,
    DistrenError,
    NotFound,
    StaleReport,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from farm.words.hours import Hours
from farm.words.states import SlaveState

log = structlog.get_logger(__name__)

LOOK = 2.0
"""Seconds between looks at the book, and at whether jobs here have anything left to render."""

PATIENCE = 5.0
"""Seconds that a slave's call waits for a peer's word at most."""

REST, LONGEST = 3.0, 24.0
"""Seconds for which a peer that did not answer is not asked: at first, and, doubled each time, at most.

A peer that swallows what it is told must not keep idle slaves from their own server's work."""

BEAT = 4.0
"""Seconds between signs of life of slaves that have no time for the peer now."""

HOLD = 15.0
"""Seconds for which a peer may let the question for news of work hang."""

CARDS = 10.0
"""Seconds for which is believed what a slave has."""

TURNED_AWAY = 600.0
"""Seconds for which a peer is not asked for a slave that it does not want, such as one whose frames were false."""

GONE = "The server whose frame this is exchanges no jobs with this one any more."
"""The last word on frames of a peer's that is none any more."""

LEASES = 100_000
"""Attempts of peers of which is remembered where they render."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A peer, and on which terms slaves are lent to it; None: they are not."""

    row: book.PeerRow
    lend: Lend | None
    hours: Hours
    today: int
    owes: int

    def refusal(self, use: Use) -> str:
        """Return why the peer gets nothing more; empty: it may."""
        return limits.refusal(self.lend, self.hours, use) if self.lend else ""

    @classmethod
    def of(cls, row: book.PeerRow, today: int, owes: int) -> Partner:
        """Return what a row of the book says.

        Args:
            row: the peer's.
            today: bytes that went between them today.
            owes: what it owes beyond what it has worked off, in thousandths of minutes.
        """
        lend = Lend.model_validate_json(row.lends) if row.lends and row.state == PeerState.ACTIVE else None
        return cls(row, lend, Hours.parse(lend.hours) if lend else Hours(), today, owes)


class Lender:
    """Slaves of this server's that render for peers; one per process.

    Args:
        peering: this server among others.
        silence: seconds after which a slave here counts as lost, as of now.
    """

    def __init__(self, peering: Peering, silence: Callable[[], float]) -> None:
        self._peering = peering
        self._partners: dict[int, Partner] = {}
        self._busy = False
        self._methods: frozenset[str] = frozenset()
        self._slots: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._turned_away: dict[tuple[int, int], float] = {}
        self._cards: dict[int, tuple[float, LentSlave | None]] = {}
        self._introduced: dict[tuple[int, int], LentSlave] = {}
        self._occupied = Occupied(silence)
        self._told: dict[tuple[int, int], float] = {}
        self._rests: dict[int, float] = {}
        self._failures: Counter[int] = Counter()
        self._moved: Counter[str] = Counter()
        self._written: Counter[str] = Counter()  # of that, what the book has, and the partners here don't know yet
        self._scouts: dict[int, asyncio.Task[None]] = {}
        self._beside: set[asyncio.Task[Orders | None]] = set()
        self._asking: dict[tuple[int, int], asyncio.Task[Orders | None]] = {}

    @property
    def active(self) -> bool:
        """There are peers at all."""
        return bool(self._partners)

    async def run(self, wake: Callable[[], None]) -> None:
        """Look after the book, and wake idle slaves when a peer has work, for ever.

        Args:
            wake: lets slaves that wait for work look again.
        """
        try:
            while True:
                try:
                    await self.look()
                except DistrenError as error:
                    log.warning("What is lent to peers could not be looked up.", reason=error.message)
                self._send_scouts(wake)
                await asyncio.sleep(LOOK)
        finally:
            for task in [*self._scouts.values(), *self._beside, *self._asking.values()]:
                task.cancel()

    async def look(self) -> None:
        """Learn what the book says now, and write down what went to and fro."""
        database, at = self._peering.database, now()
        moved, self._moved = self._moved, Counter()
        self._written += moved
        if moved:
            await database.write(partial(lending.moved, bytes_of=dict(moved), at=at))
        rows = await database.read(book.everyone)
        if not rows:
            self._partners, self._written = {}, Counter()
            return
        today = await database.read(partial(lending.today, at=at))
        partners = {}
        for row in rows:
            balance = partial(account.balance, peer=row.name, worth=account.rate(row))
            owes = await database.read(balance) if row.lends else 0
            partners[row.place] = Partner.of(row, today.get(row.name, 0), owes)
        self._partners = partners
        self._written -= moved
        lends = [one.lend for one in partners.values() if one.lend]
        if any(lend.idle_only for lend in lends):
            self._busy = await database.read(lending.own_work)
        if any(lend.methods for lend in lends):
            self._methods = await database.read(lending.methods)

    def now(self, peer: str) -> dict[str, Any]:
        """Return how many slots here render for a peer, as far as this process knows, and why it gets no more."""
        for place, partner in self._partners.items():
            if partner.row.name == peer:
                return {"keeps": self._keeps(partner), "lent_now": self._occupied.by(place)}
        return {}

    def _keeps(self, partner: Partner) -> str:
        why = partner.refusal(self._use(partner))
        if not why and partner.lend and self._rests.get(partner.row.place, 0.0) > time.monotonic():
            return "It did not answer a moment ago; it is asked again soon."
        return why

    async def orders(self, slave: Identity, report: Report, parts: dict[int, Report], own: Orders) -> Orders:
        """Return what this server says to a slave, with what peers say of theirs.

        Args:
            slave: who reports.
            report: what it said.
            parts: of that, what concerns peers; see :func:`farm.peers.lent.split`.
            own: this server's orders.
        """
        told = lent.displaced(own, parts)
        kept = own.drain or own.upgrade or (bool(self._partners) and await self._card(slave) is None)
        for place in parts.keys() - self._partners.keys():
            told = lent.joined(told, place, lent.orphaned(parts[place], GONE))
        for place, partner in self._partners.items():
            part = parts.get(place)
            busy = lent.busy(part) if part is not None else 0
            self._occupied.hold(place, slave.id, busy)
            want = 0 if told.leases or kept else self._want(partner, slave.id, report)
            said = (part or lent.bare(report)).model_copy(update={"want": want, "cards": min(report.cards, want)})
            self._occupied.hold(place, slave.id, busy + want)  # others ask at the same moment
            theirs = await self._part(partner, slave, said, needed=part is not None or want > 0)
            self._occupied.hold(place, slave.id, busy + len(theirs.leases if theirs else ()))
            if theirs is not None:
                told = lent.joined(told, place, theirs)
        return told

    async def passed(self, place: int) -> book.PeerRow:
        """Return the row of the peer whose job a slave asks for.

        Raises:
            NotFound: it is none any more.
        """
        if place not in self._partners:
            await self.look()
        if place not in self._partners:
            raise NotFound("The server whose job this is exchanges none with this one any more.")
        return self._partners[place].row

    def moved(self, peer: str, size: int) -> None:
        """Note that bytes went to or from a peer for slaves here."""
        self._moved[peer] += size

    async def _part(self, partner: Partner, slave: Identity, said: Report, *, needed: bool) -> Orders | None:
        """Pass a slave's word on to a peer; None: there is nothing to say to the slave."""
        place, clock = partner.row.place, time.monotonic()
        rests = max(self._rests.get(place, 0.0), self._turned_away.get((place, slave.id), 0.0))
        if rests > clock or (partner.lend is None and not needed):
            return None
        if needed:
            return await self._ask(partner, slave, said)
        if self._told.get((place, slave.id), 0.0) + BEAT < clock:
            # Beside: the slave need not wait for it. The peer hears that the slave lives, and is busy.
            resting = said.model_copy(update={"state": SlaveState.RESTING, "message": "It is busy at home."})
            self._told[place, slave.id] = clock
            task = asyncio.create_task(self._ask(partner, slave, resting))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)
        return None

    async def _ask(self, partner: Partner, slave: Identity, said: Report) -> Orders | None:
        """Pass a slave's word on, after the one before it; None: there is no answer in time."""
        key = partner.row.place, slave.id
        try:
            async with asyncio.timeout(PATIENCE):
                while (before := self._asking.get(key)) is not None:
                    await asyncio.wait([before])
                # It is not given up when time is up: a line on which each answer takes long would be opened anew each
                # time, which takes longer.
                task = asyncio.create_task(self._say(partner, slave, said))
                self._asking[key] = task
                task.add_done_callback(lambda _: self._asking.pop(key, None))
                return await asyncio.shield(task)
        except TimeoutError:
            self._rest(partner.row, reason := f"It does not answer slaves here within {PATIENCE:g} seconds.")
            await self._report(partner.row, reason)
            return None

    async def _say(self, partner: Partner, slave: Identity, said: Report) -> Orders | None:
        row = partner.row
        try:
            if not await self._introduce(partner, slave):
                return None
            self._told[row.place, slave.id] = time.monotonic()
            told = await self._peering.told(Orders, row, "POST", "/api/slave/next", said, user=SLAVE + slave.name)
            orders = lent.believed(told, row.name, said.want)
            self._failures.pop(row.place, None)
            await self._note(row, slave, said, orders)
        except (StaleReport, Crowded):
            return None
        except DistrenError as error:
            self._introduced.pop((row.place, slave.id), None)
            if type(error) is Unauthenticated:  # it is retired there, and the others are not
                return self._turn_away(row, slave, said, error)
            self._rest(row, error.message)
            await self._refused(row, error)
            return None
        return None if orders.superseded else orders

    async def _note(self, row: book.PeerRow, slave: Identity, said: Report, orders: Orders) -> None:
        """Write down what the peer took: it owes this server for it."""
        self._slots |= {(row.place, f.attempt): lease.slot or "cpu" for lease in orders.leases for f in lease.frames}
        while len(self._slots) > LEASES:
            self._slots.popitem(last=False)
        good = {verdict.attempt for verdict in orders.verdicts if verdict.verdict == "accepted"}
        ends = [(end, self._slots.get((row.place, end.attempt), "")) for end in said.finished if end.attempt in good]
        if ends:
            note = partial(lending.rendered, peer=row.name, slave=slave.id, ends=ends, at=now())
            await self._peering.database.write(note)

    async def _introduce(self, partner: Partner, slave: Identity) -> bool:
        """Let the peer know the slave as it is now; tell whether the peer knows it."""
        key, card = (partner.row.place, slave.id), await self._card(slave)
        known = self._introduced.get(key)
        if card is None or partner.lend is None:
            return known is not None or partner.lend is None
        allowed = [o for o in card.offers if not partner.lend.methods or o.method in partner.lend.methods]
        card = card.model_copy(update={"offers": allowed})
        if known != card:
            await self._peering.asked(partner.row, "POST", "/api/peering/slaves", card)
            self._introduced[key] = card
        return True

    async def _card(self, slave: Identity) -> LentSlave | None:
        """Return what a slave is to peers; None: it is not lent."""
        at, card = self._cards.get(slave.id, (0.0, None))
        if not at or time.monotonic() - at > CARDS:
            card = await self._peering.database.read(partial(lending.card, slave=slave.id))
            self._cards[slave.id] = (time.monotonic(), card)
        return card

    def _want(self, partner: Partner, slave: int, report: Report) -> int:
        """Return for how many slots of a slave a peer's work is welcome."""
        lend = partner.lend
        if lend is None or not report.want or report.state is SlaveState.RESTING:
            return 0
        use = self._use(partner)
        return 0 if partner.refusal(use) else min(report.want, lend.slots - use.slots)

    def _use(self, partner: Partner) -> Use:
        """Return what of a peer's terms is used up."""
        row = partner.row
        return Use(
            clock=datetime.now(),  # noqa: DTZ005 - the wall's
            busy=self._busy,
            today=partner.today + self._moved[row.name] + self._written[row.name],
            owes=partner.owes,
            slots=self._occupied.by(row.place),
            methods=self._methods,
        )

    def forget(self, slave: int) -> None:
        """Count no slots of a slave that has logged out."""
        self._occupied.forget(slave)

    def _turn_away(self, row: book.PeerRow, slave: Identity, said: Report, error: DistrenError) -> Orders:
        """Spare a peer a slave that it does not want; return the last word on what that one still has of it."""
        self._turned_away[row.place, slave.id] = time.monotonic() + TURNED_AWAY
        log.warning("A peer does not want a slave.", peer=row.name, slave=slave.name, reason=error.message)
        return lent.orphaned(said, f"{row.name} does not want what this slave renders: {error.message}")

    def _rest(self, row: book.PeerRow, reason: str) -> None:
        times = self._failures[row.place]
        self._failures[row.place] = times + 1
        self._rests[row.place] = time.monotonic() + min(REST * 2 ** min(times, 5), LONGEST)
        log.info("A peer takes nothing of slaves here at the moment.", peer=row.name, reason=reason)

    async def _refused(self, row: book.PeerRow, error: DistrenError) -> None:
        """Let admins know what a peer said, if it is not just away: that is seen elsewhere."""
        if not isinstance(error, (Unavailable, Unreachable)):
            await self._report(row, error.message)

    async def _report(self, row: book.PeerRow, reason: str) -> None:
        with contextlib.suppress(DistrenError):  # what can't be written down now was logged
            await self._peering.database.write(partial(book.erred, name=row.name, error=reason, at=now()))

    def _send_scouts(self, wake: Callable[[], None]) -> None:
        for place, partner in self._partners.items():
            running = self._scouts.get(place)
            if partner.lend is not None and (running is None or running.done()):
                self._scouts[place] = asyncio.create_task(self._scout(place, wake), name=f"scout {partner.row.name}")

    async def _scout(self, place: int, wake: Callable[[], None]) -> None:
        """Ask a peer for news of work while slaves are lent to it: the question hangs there."""
        while (partner := self._partners.get(place)) is not None and partner.lend is not None:
            try:
                told = await self._peering.told(PeerWork, partner.row, "GET", f"/api/peering/work?hold={HOLD:g}")
            except DistrenError as error:
                level = log.debug if isinstance(error, Unavailable) else log.info
                level("A peer does not say whether it has work.", peer=partner.row.name, reason=error.message)
                await self._refused(partner.row, error)
                await asyncio.sleep(REST)
                continue
            if told.news:
                wake()
                await asyncio.sleep(0.1)  # what comes at once is looked for at once
