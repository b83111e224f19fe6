"""Recompute the whole ledger: amounts from their inputs, inputs from their attempts, accounts from their rows.

Rows of closed books are read from their archives, and what is carried forward of them is compared with those.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import and_, exists, func, select
from sqlalchemy.engine import Connection

from farm.accounts import books, closedaudit, reasons
from farm.accounts.formula import points
from farm.accounts.ledger import EARNING, FARM, Kind
from farm.database.schema import attempts, balances, jobs, postings, slaves, users
from farm.files.store import BlobStore
from farm.words.states import JOB_ENDED, AttemptState, JobState

_MOST = 100
"""Faults that are told."""

_FOR_FRAMES = [Kind.EARNED.value, Kind.HALF.value, Kind.TIP.value, Kind.GONE.value]
_WON = [AttemptState.WON.value, AttemptState.LATE.value, AttemptState.FORMER.value]
_ROWS = (
    select(
        *(postings.c[name] for name in ("kind", "ref", "giver", "taker", "milli", "job", "frame", "slave", "inputs")),
        jobs.c.owner,
        jobs.c.state.label("job_state"),
        slaves.c.owner.label("renderer"),
        attempts.c.id.label("attempt"),
        attempts.c.job.label("of_job"),
        attempts.c.frame.label("of_frame"),
        attempts.c.slave.label("of_slave"),
        attempts.c.state,
        attempts.c.cpu,
        attempts.c.seconds,
    )
    .select_from(postings)
    .outerjoin(jobs, jobs.c.number == postings.c.job)
    .outerjoin(slaves, slaves.c.id == postings.c.slave)
    .outerjoin(attempts, and_(attempts.c.id == postings.c.ref, postings.c.kind.in_(_FOR_FRAMES)))
    .order_by(postings.c.kind, postings.c.ref)
)


class _Sums:
    """What the ledger's rows, and what is carried forward, give each account: its points, and what of them it earned.

    The escrow of a job whose rows are going counts as the farm's: together they leave nothing in it.
    """

    def __init__(self, conn: Connection) -> None:
        self.accounts: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        self._closing = {-job for job in books.closing(conn)}
        for (account, kind), amount in books.forward(conn).items():
            self._move(kind, *books.sides(account, kind), amount.milli)

    def add(self, row: Any) -> None:
        self._move(row.kind, row.giver, row.taker, row.milli)

    def _move(self, kind: str, giver: int, taker: int, milli: int) -> None:
        earned = milli if kind in EARNING else 0
        for account, sign in ((giver, -1), (taker, 1)):
            whose = self.accounts[FARM if account in self._closing else account]
            whose[0] += sign * milli
            whose[1] += sign * earned


def misstated(conn: Connection) -> dict[int, tuple[int, int]]:
    """Return what is missing in the accounts that do not have what their rows give: points, and earned ones."""
    sums, c = _Sums(conn), postings.c
    for row in conn.execute(select(c.kind, c.giver, c.taker, c.milli), execution_options={"yield_per": 1000}):
        sums.add(row)
    kept = _kept(conn)
    pairs = {a: (sums.accounts.get(a, [0, 0]), kept.get(a, [0, 0])) for a in sums.accounts.keys() | kept.keys()}
    return {a: (have[0] - say[0], have[1] - say[1]) for a, (have, say) in sorted(pairs.items()) if have != say}


def _kept(conn: Connection) -> dict[int, list[int]]:
    c = balances.c
    query = select(c.account, func.sum(c.milli), func.sum(c.earned)).group_by(c.account)
    return {account: [int(milli), int(earned)] for account, milli, earned in conn.execute(query)}


def audit(conn: Connection, store: BlobStore | None = None) -> list[str]:
    """Return what is wrong with the ledger, one sentence each; empty when all is well.

    Args:
        conn: a reader's.
        store: where the archives of closed books are; None: they are not read.
    """
    sums = _Sums(conn)
    found: list[str] = []
    for row in conn.execution_options(yield_per=1000).execute(_ROWS):
        sums.add(row)
        if len(found) < _MOST:
            found += [f"Row {row.kind} {row.ref} of the ledger: {fault}" for fault in faults(row)]
    found += [] if store is None else islice(closedaudit.audit(conn, store, faults), _MOST)
    return found + list(_accounts(conn, sums.accounts)) + list(_escrows(conn, sums.accounts)) + list(_missing(conn))


def faults(row: Any) -> Iterator[str]:
    """Yield what is wrong with a row, of the ledger or of an archive."""
    if row.kind not in set(Kind):
        yield "there is no such kind."
        return
    kind = Kind(row.kind)
    if row.milli < 0:
        yield f"its amount is {points(row.milli)}."
    try:
        inputs = json.loads(row.inputs)
        amount = reasons.recomputed(kind, inputs)
    except (ValueError, KeyError, TypeError):
        yield "its inputs can't be read."
        return
    if amount is not None and amount != row.milli:
        yield f"it says {points(row.milli)} points, but its inputs give {points(amount)}."
    yield from _sides(kind, row)
    if row.kind in _FOR_FRAMES:
        yield from _attempt(kind, row, inputs)


def _sides(kind: Kind, row: Any) -> Iterator[str]:
    """Compare who gives and who takes with whose the job and the slave are."""
    if row.job is None or row.owner is None:
        yield "it is about no job that ever was."
        return
    right = {
        Kind.EARNED: (FARM, row.renderer),
        Kind.HALF: (FARM, row.renderer),
        Kind.ESCROW: (row.owner, -row.job),
        Kind.TIP: (-row.job, row.renderer),
        Kind.GONE: (-row.job, FARM),
        Kind.RETURNED: (-row.job, row.owner),
        Kind.FORFEIT: (row.renderer, FARM),
    }[kind]
    if (row.giver, row.taker) != right:
        yield f"it goes from account {row.giver} to {row.taker}, but should from {right[0]} to {right[1]}."
    if kind in EARNING and row.taker == row.owner:
        yield "somebody earns by their own job."


def _attempt(kind: Kind, row: Any, inputs: Any) -> Iterator[str]:
    """Compare a row with its attempt, as long as the job is there."""
    if row.attempt is None:
        if row.job_state != JobState.DELETED:
            yield "there is no such attempt."
        return
    if (row.of_job, row.of_frame, row.of_slave) != (row.job, row.frame, row.slave):
        yield "its attempt was at another frame, or by another slave."
    if row.state not in ([AttemptState.FAILED.value] if kind is Kind.HALF else _WON):
        yield f"its attempt is {row.state}."
    if kind in EARNING and inputs["said"] not in (row.cpu, row.seconds):
        yield "its slave said another time."
    if kind in EARNING and inputs["cpu"] > inputs["said"]:
        yield "it counts more time than its slave said."


def _accounts(conn: Connection, sums: dict[int, list[int]]) -> Iterator[str]:
    kept = _kept(conn)
    names = {row.id: str(row.name) for row in conn.execute(select(users.c.id, users.c.name))}
    for account in sorted(sums.keys() | kept.keys()):
        have, say = sums.get(account, [0, 0]), kept.get(account, [0, 0])
        whose = _whose(account, names)
        if have != say:
            yield f"{whose} has {points(say[0])} points ({points(say[1])} earned), but its rows give {points(have[0])}."
        if account != FARM and have[0] < 0:
            yield f"{whose} is below zero: {points(have[0])} points."
    if total := sum(milli for milli, _ in kept.values()):
        yield f"The sum of all accounts is {points(total)} instead of zero."


def _whose(account: int, names: dict[int, str]) -> str:
    if account == FARM:
        return "The farm"
    return f"The escrow of job {-account}" if account < 0 else f"{names.get(account, f'User {account}')}'s account"


def _escrows(conn: Connection, sums: dict[int, list[int]]) -> Iterator[str]:
    """Look for points that an ended job kept."""
    over = set(conn.execute(select(jobs.c.number).where(jobs.c.state.in_([s.value for s in JOB_ENDED]))).scalars())
    for account, (milli, _) in sorted(sums.items()):
        if account < 0 and milli and -account in over:
            yield f"Job {-account} has ended, but its escrow still has {points(milli)} points."


def _missing(conn: Connection) -> Iterator[str]:
    """Look for accepted frames of others' jobs that nobody earned anything for, since there is a ledger."""
    began = conn.execute(select(func.min(postings.c.at)).where(postings.c.kind == Kind.EARNED.value)).scalar()
    if began is None:
        return
    c = attempts.c
    said = exists().where(postings.c.kind == Kind.EARNED.value, postings.c.ref == c.id)
    query = select(c.id, c.job, c.frame).join(jobs, jobs.c.number == c.job).join(slaves, slaves.c.id == c.slave)
    due = (c.state == AttemptState.WON.value, c.ended >= began, c.cpu > 0, slaves.c.owner != jobs.c.owner, ~said)
    for row in conn.execute(query.where(*due).limit(_MOST)):
        yield f"Attempt {row.id} won frame {row.frame} of job {row.job}, but nobody earned anything for it."
