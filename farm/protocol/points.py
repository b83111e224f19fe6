"""Points: what users have, and the ledger. Amounts are whole thousandths of points."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from farm.protocol.base import Answer, Request

MOST_POINTS = 1_000_000_000
"""Points that a boost may hold: more than a large farm earns in its life."""


class PointsView(Answer):
    """A user's account.

    `milli`: what it has. `earned_milli`: all that was ever earned by rendering for others; it decides the share of
    the farm. `escrow_milli`: what lies in jobs' escrows. `closed_milli`: what of `milli` came, or went, by the
    `closed_rows` rows of the ledger that are in closed books, and are not listed any more. `provisional_milli`: what of
    `milli` can't be spent, for a slave that has earned it is in doubt.
    """

    user: str
    milli: int
    earned_milli: int
    escrow_milli: int
    closed_milli: int = 0
    closed_rows: int = 0
    provisional_milli: int = 0


class LedgerRow(Answer):
    """A row of the ledger, as one user sees it: `milli` is negative where they gave.

    `reason` says in words what `inputs` has as numbers: times in µs, power in thousandths, `near` pairs of
    frame and thousandths of points.
    """

    row: str
    at: datetime
    kind: str
    milli: int
    address: str
    slave: str | None
    reason: str
    inputs: dict[str, Any]


class LedgerPage(Answer):
    """Rows of the ledger, newest first; `next` continues the list (`?after=`)."""

    rows: list[LedgerRow]
    next: str | None


class LedgerAudit(Answer):
    """What is wrong with the ledger, one sentence each; empty: nothing."""

    faults: list[str]


class BookView(Answer):
    """A closed book of the ledger: rows of jobs that were deleted long ago, in an archive.

    `sha256`: the hash of the archive, a gzipped CSV of `bytes`, under which it is among the stored files. `first`,
    `last`: the times of its oldest and newest row. `closed` None: its rows are still going out of the ledger.
    """

    book: int
    rows: int
    first: datetime
    last: datetime
    closed: datetime | None
    sha256: str
    bytes: int


class Boost(Request):
    """Let a job's escrow hold points, to have it rendered sooner; what it holds already counts.

    `boost` times a frame's worth are burnt for each; what is left at the end returns. 0 points: end the boost.
    """

    points: Annotated[int, Field(strict=True, ge=0, le=MOST_POINTS)]
    boost: Annotated[int, Field(strict=True, ge=1, le=15)] = 1


class BoostView(Answer):
    """What a boost costs and gives, before it is confirmed.

    Args:
        cost_milli: thousandths of points that will be burnt, by the job's frames so far; what the escrow holds beyond
            that returns.
        frames_left: that are not done; `frames_boosted`: for how many of them the points last.
        balance_milli: what the user has; `escrow_milli`: what the job's escrow holds already.
        eta_seconds: until the job is done as it is, if nobody comes; None: nothing that fits is awake.
        boosted_eta_seconds: the same with the boost.
    """

    job: int
    points: int
    boost: int
    cost_milli: int
    frames_left: int
    frames_boosted: int
    balance_milli: int
    escrow_milli: int
    eta_seconds: float | None
    boosted_eta_seconds: float | None


class Cause(StrEnum):
    """Why a slave is measured."""

    ASKED = "asked"
    """A person wanted it."""
    FIRST = "first"
    """It never was."""
    CHANGED = "changed"
    """Its processors, graphics cards or renderers are others than the last time."""
    AGE = "age"
    """The last time is 30 days ago."""
    DRIFT = "drift"
    """Its frames differ by more than a quarter from what its rating says."""
    AGAIN = "again"
    """The last benchmark came to nothing, a day ago."""


class RatingView(Answer):
    """A benchmark of a slave; `power` per CPU-second and `throughput` per minute, beside the reference machine.

    `over`: the benchmark has ended; with `power` None it came to nothing. `provisional`: no slave of another owner has
    drawn the same pixels yet; until then it counts no more than 1. `method`: on graphics
    cards `METHOD/WAY` (`blender/optix`).
    """

    slave: str
    job: int
    method: str
    version: str
    at: datetime
    over: bool
    power: float | None
    throughput: float | None
    provisional: bool
    cause: Cause = Cause.ASKED
