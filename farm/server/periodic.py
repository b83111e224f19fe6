"""What a server does again and again, beside answering: sweep, collect, prune."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from farm.accounts import ledger, logins
from farm.accounts.authenticator import RENEWED_EVERY
from farm.api.ratings.place import place
from farm.api.services import Services
from farm.database import eventlog, leaps
from farm.jobs import closing, convictions, homecoming, measuring, pulse, quotas, ratings, retention, spotchecks
from farm.jobs.collect import collect, collect_strays
from farm.jobs.measuring import Watch
from farm.peers import account, book
from farm.peers.dependencies import Awaiting
from farm.peers.introduction import hello
from farm.protocol.peers import PeerState
from farm.scheduler import bulk
from farm.scheduler.hearing import Hearing
from farm.scheduler.sweep import sweep
from farm.server.caretaker import BEAT, Caretaker
from farm.server.heartbeat import LOOK, Heartbeat
from farm.server.notify.notifier import notify
from farm.words import clock
from farm.words.errors import Unavailable

log = structlog.get_logger(__name__)

HOUR = 3600.0

SWEEP = 1.0
"""Seconds between sweeps: so much later than it could, a lost slave's frames are back in the queue at most."""

HELLO = 20.0
"""Seconds between looks whether peers live."""

QUOTAS = 120.0
"""Seconds between looks at what users with jobs have stored: a sum over all of their pictures."""

RECEIPTS = 10.0
"""Seconds between looks whether peers have signed what they owe."""

PIECES = 50
"""The most pieces of large changes after one sweep; the next sweep goes on."""

PRUNES = 100
"""The most prunings in a row, thousands of events each."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds; `everywhere`: by each process, else by the caretaker for all."""

    name: str
    seconds: float
    act: Callable[[], Awaitable[object]]
    everywhere: bool = False


def chores(services: Services, caretaker: Caretaker) -> list[Chore]:
    """Return all periodic work of a server."""
    watch = Watch()
    return [
        Chore("caretaker", BEAT, caretaker.look, everywhere=True),
        Chore("heartbeat", LOOK, Heartbeat(services), everywhere=True),
        Chore("sweep", SWEEP, Sweeper(services)),
        Chore("logins", RENEWED_EVERY, services.authenticator.renew, everywhere=True),
        Chore("fetched", 1, partial(_fetched, services), everywhere=True),
        Chore("ratings", 2, partial(_ratings, services)),
        Chore("measuring", 10, partial(_measuring, services, watch)),
        Chore("giving way", 1, partial(_giving_way, services, watch)),
        Chore("checks", 2, partial(_checks, services)),
        Chore("notices", 2, partial(notify, services)),
        Chore("pulse", 60, partial(_pulse, services)),
        Chore("clock", 60, partial(_clock, services)),
        Chore("events", 60, _by_age(services, partial(_events, services))),
        Chore("awaiting", 2, _awaiting(services)),
        Chore("peers", HELLO, partial(_peers, services)),
        Chore("receipts", RECEIPTS, partial(_receipts, services)),
        Chore("tokens", HOUR, _by_age(services, partial(_tokens, services))),
        Chore("garbage", HOUR, _by_age(services, partial(_garbage, services))),
        Chore("quotas", QUOTAS, partial(_quotas, services)),
        Chore("retention", HOUR, _by_age(services, partial(_retention, services))),
        Chore("strays", 24 * HOUR, _by_age(services, partial(collect_strays, services.database, services.store))),
    ]


async def run(chore: Chore, caretaker: Caretaker) -> None:
    """Do a chore again and again until cancelled; its faults are logged, and end nothing."""
    while True:
        await asyncio.sleep(chore.seconds)
        if not (chore.everywhere or caretaker.here):
            continue
        began = time.perf_counter()
        try:
            await chore.act()
        except Unavailable as error:
            log.warning("Periodic work has to wait.", chore=chore.name, reason=error.message)
        except Exception:  # a sweep that failed once must not be the last one
            log.warning("Periodic work failed; it will be tried again.", chore=chore.name, exc_info=True)
        took = time.perf_counter() - began
        if took > min(max(chore.seconds, 1), 60):
            log.warning("Periodic work is slow.", chore=chore.name, seconds=round(took, 2))


class Sweeper:
    """Sweeps, and knows since when slaves could be heard.

    Args:
        services: the server's parts.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._hearing = Hearing()

    async def __call__(self) -> None:
        """Sweep once."""
        database, policy = self._services.database, self._services.policy
        # Who was turned away could not be heard.
        known = self._hearing.broken() if self._services.admission.turned_away() else self._hearing
        hearing = known.now(clock.now(), clock.steady(), policy)
        self._hearing = hearing.broken()  # unless it comes to an end
        more = await database.write(partial(sweep, at=hearing.clock, policy=policy, since=hearing.since))
        self._hearing = hearing
        for _ in range(PIECES):
            if not more:
                return
            more = await database.write(partial(bulk.work, at=clock.now()))


def _by_age(services: Services, act: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    """Return what does something unless the clock is doubted: it deletes what is old."""

    async def acting() -> None:
        if not await services.database.read(partial(leaps.doubted, at=clock.now())):
            await act()

    return acting


async def _clock(services: Services) -> None:
    if await services.database.write(partial(leaps.look, at=clock.now())):
        log.warning("The clock has leapt, or the server was off for long: nothing is deleted by its age for a day.")


async def _fetched(services: Services) -> None:
    if seen := services.homecoming.take():
        await services.database.write(partial(homecoming.record, seen=seen))


async def _ratings(services: Services) -> None:
    if await services.database.read(ratings.due):
        await services.database.write(partial(ratings.finish, at=clock.now(), strangers=services.policy.strangers))


async def _measuring(services: Services, watch: Watch) -> None:
    await measuring.work(place(services), watch, clock.now())


async def _giving_way(services: Services, watch: Watch) -> None:
    await measuring.give_way(place(services), watch, clock.now())


async def _pulse(services: Services) -> None:
    await services.database.write(partial(pulse.note, at=clock.now()))


async def _checks(services: Services) -> None:
    strangers = services.policy.strangers
    if not (strangers or services.lender.active):
        return
    await spotchecks.work(services.database, services.store, services.viewer, clock.now(), strangers=strangers)
    for _ in range(PIECES):
        if not await services.database.read(convictions.due):
            return
        slave = await services.database.write(partial(convictions.go_on, at=clock.now()))
        if slave is not None:
            services.authenticator.forget_slave(slave)


async def _events(services: Services) -> None:
    kept = clock.microseconds(services.settings.events_hours * HOUR)
    for _ in range(PRUNES):
        # `prune` knows one age only, so it is told another time.
        if not await services.database.write(partial(eventlog.prune, at=clock.now() - kept + eventlog.KEPT)):
            return
        await asyncio.sleep(0.05)  # others may write in between


def _awaiting(services: Services) -> Awaiting:
    limit = int(services.settings.result_limit)
    return Awaiting(services.peering, services.store, services.settings.data, limit)


async def _peers(services: Services) -> None:
    """Ask all peers whether they live."""
    found = await services.database.read(book.everyone)
    if found:
        await services.database.write(partial(book.forget_nonces, at=clock.now()))
        active = [row.name for row in found if row.state == PeerState.ACTIVE]
        await asyncio.gather(*(hello(services.peering, name) for name in active))


async def _receipts(services: Services) -> None:
    for row in await services.database.read(book.everyone):
        if row.state == PeerState.ACTIVE:
            await account.settle(services.peering, row, clock.now())


async def _tokens(services: Services) -> None:
    await services.database.write(partial(logins.forget_expired, at=clock.now()))


async def _garbage(services: Services) -> None:
    grace = services.settings.unused_hours * HOUR
    await asyncio.to_thread(services.store.tidy, HOUR)
    await collect(services.database, services.store, clock.now(), grace)


async def _retention(services: Services) -> None:
    own = services.settings
    keep = retention.Keep(own.keep_jobs_days, own.keep_logs_days, own.keep_attempts_days, own.keep_packages_days)
    await retention.thin_out(services.database, keep, clock.now())
    await closing.close(services.database, services.store, own.keep_ledger_days, clock.now())
    while await services.database.write(partial(ledger.fold, most=1)):
        pass


async def _quotas(services: Services) -> None:
    await quotas.keep_within(services.database, int(services.settings.farm_quota), clock.now())
