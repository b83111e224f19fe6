"""Attempts of a peer's on slaves here: what a slave says and hears, taken apart by server. Pure.

A slave knows one server, and its numbers are that one's. Numbers of a peer's jobs and attempts get the peer's place
in the book in front, so that none is another's, and every process of this server knows whose they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from farm.protocol.slaves import Lease, Orders, Report, Verdict
from farm.words.errors import PeerRefused

BITS = 48
"""Bits of a peer's own number; those above are its place."""

PLACES = 2**13
"""Places must be below this: numbers have 62 bits."""

OFTEN = 1.0
"""Seconds between a slave's reports, at least, whatever a peer says."""

USUAL = 5.0
"""The same where nobody watches a frame: slaves of a large farm report less often, and a peer would count them as lost.

No peer may have all of that farm's slaves report more often than they would anywhere."""

_SAID = ("running", "finished", "failed")
_NAMED = ("holding", "finishing", "returned")


def here(place: int, number: int) -> int:
    """Return the number by which slaves here know what a peer calls `number`."""
    return place << BITS | number


def there(number: int) -> tuple[int, int]:
    """Return the place of the peer that a slave's number is of (0: this server), and the peer's own number."""
    return number >> BITS, number & (1 << BITS) - 1


def split(report: Report) -> tuple[Report, dict[int, Report]]:
    """Take a slave's report apart: this server's part, and the parts of peers, by place.

    Peers' parts want nothing yet, and have the peers' own numbers.
    """
    parts: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for name in _SAID:
        for one in getattr(report, name):
            place, attempt = there(one.attempt)
            parts[place][name].append(one.model_copy(update={"attempt": attempt}) if place else one)
    for name in _NAMED:
        for number in getattr(report, name):
            place, attempt = there(number)
            parts[place][name].append(attempt)
    if not parts.keys() - {0}:
        return report, {}
    own = {name: parts[0][name] for name in (*_SAID, *_NAMED)}
    theirs = {place: bare(report).model_copy(update=dict(said)) for place, said in parts.items() if place}
    return report.model_copy(update=own), theirs


def bare(report: Report) -> Report:
    """Return a report's frame without attempts: when it is of, and how the slave is."""
    return Report(seq=report.seq, heard=report.heard, state=report.state)


def busy(part: Report) -> int:
    """Return how many slots of a slave a peer's attempts have: those that wait render one after the other."""
    return max(len(part.running), 1 if part.holding else 0)


def believed(theirs: Orders, peer: str, want: int) -> Orders:
    """Return of a peer's orders what it may say.

    Its numbers must be its own: larger ones would be another peer's here. More leases than were wanted are left out,
    and nobody is made to report more often than whoever watches a frame needs.

    Args:
        theirs: what it said.
        peer: its name.
        want: for how many slots leases were wanted.

    Raises:
        PeerRefused: a number can be none of its own.
    """
    for number in _numbers(theirs):
        if not 0 <= number < 1 << BITS:
            raise PeerRefused(f"{peer} speaks of a job or an attempt by a number that is none of its own.")
    beat = max(theirs.heartbeat_seconds, OFTEN)
    return theirs.model_copy(update={"leases": theirs.leases[:want], "heartbeat_seconds": beat})


def _numbers(said: Orders) -> Iterator[int]:
    for lease in said.leases:
        yield from (lease.lease, lease.job, *(frame.attempt for frame in lease.frames))
    yield from (*said.revoked, *said.watched, *(verdict.attempt for verdict in said.verdicts))


def joined(own: Orders, place: int, theirs: Orders) -> Orders:
    """Return a server's orders to its slave with those of a peer.

    A peer leases, revokes, judges, and has its frames watched; all else (upgrades, terms, errands) is for the slave's
    own server to say.
    """
    verdicts = [one.model_copy(update={"attempt": here(place, one.attempt)}) for one in theirs.verdicts]
    beat = max(theirs.heartbeat_seconds, 0 if theirs.watched else USUAL)
    return own.model_copy(
        update={
            "leases": [*own.leases, *(_lease(place, lease) for lease in theirs.leases)],
            "revoked": [*own.revoked, *(here(place, attempt) for attempt in theirs.revoked)],
            "verdicts": [*own.verdicts, *verdicts],
            "watched": [*own.watched, *(here(place, attempt) for attempt in theirs.watched)],
            "heartbeat_seconds": min(own.heartbeat_seconds, beat),
        }
    )


def displaced(own: Orders, parts: dict[int, Report]) -> Orders:
    """Return orders by which a slave that got work of its own server drops what it has not begun for peers."""
    if not own.leases:
        return own
    waiting = [here(place, attempt) for place, part in parts.items() for attempt in part.holding]
    return own.model_copy(update={"revoked": [*own.revoked, *waiting]}) if waiting else own


def orphaned(part: Report, why: str) -> Orders:
    """Return the last word on attempts of a peer's that nobody will take, in that one's numbers."""
    ends = [*(end.attempt for end in part.finished), *(end.attempt for end in part.failed)]
    verdicts = [Verdict(attempt=attempt, verdict="refused", message=why) for attempt in ends]
    return Orders(verdicts=verdicts, revoked=[*(one.attempt for one in part.running), *part.holding])


def _lease(place: int, lease: Lease) -> Lease:
    frames = [frame.model_copy(update={"attempt": here(place, frame.attempt)}) for frame in lease.frames]
    numbers = {"lease": here(place, lease.lease), "job": here(place, lease.job), "frames": frames}
    return lease.model_copy(update=numbers)
