"""Small results that ride inside a report: unpacked and durable before the report counts."""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from farm.api.services import Services
from farm.jobs import results
from farm.jobs.unpack import Opened, Unpacked, keep, opened
from farm.protocol.slaves import Failed, Finished, Report, Verdict
from farm.words.errors import DistrenError, HashMismatch, Malformed
from farm.words.states import FailureClass

AT_ONCE = 32 * 1024
"""Characters of inline results that the event loop reads itself; going to a thread costs more than reading them."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A report whose inline results are in the store.

    Args:
        report: the report; results that are no results became failures of their slave.
        results: what was unpacked, by attempt.
        verdicts: what the slave must hear beside the scheduler's verdicts.
    """

    report: Report
    results: dict[int, Unpacked] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """Inline results, read but not kept yet, and what was wrong with the others."""

    results: dict[int, Opened] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    spoilt: list[Failed] = field(default_factory=list)


async def arrive(services: Services, slave: int, report: Report) -> Arrived:
    """Unpack a report's inline results.

    Attempts that were not issued to this slave, or were revoked, are not unpacked; the
    scheduler refuses them.
    """
    inline = [finished for finished in report.finished if finished.inline]
    if not inline:
        return Arrived(report)
    welcome = await _welcome(services, slave, [finished.attempt for finished in inline])
    wanted = [finished for finished in inline if finished.attempt in welcome]
    read = partial(_read, wanted, int(services.settings.result_limit))
    small = sum(len(finished.inline) for finished in wanted) <= AT_ONCE
    found = read() if small else await asyncio.to_thread(read)
    kept = await _kept(services, found)
    return Arrived(_without(report, found), kept, tuple(found.verdicts)) if found.verdicts else Arrived(report, kept)


async def _welcome(services: Services, slave: int, ids: Collection[int]) -> Collection[int]:
    """Return those of the attempts whose results are worth keeping; the transaction looks again."""
    if services.issued.all_to(slave, ids):
        return ids
    return await services.database.read(partial(results.welcome, slave=slave, ids=ids))


async def _kept(services: Services, found: _Read) -> dict[int, Unpacked]:
    """Put results into the store side by side: a disk makes several syncs at once as fast as one."""
    keeping = [_keep(services, one) for one in found.results.values()]
    kept = await asyncio.gather(*keeping) if len(keeping) > 1 else [await one for one in keeping]
    return dict(zip(found.results, kept, strict=True))


async def _keep(services: Services, one: Opened) -> Unpacked:
    return await asyncio.to_thread(keep, services.store, one) if one.files else keep(services.store, one)


def _read(wanted: list[Finished], limit: int) -> _Read:
    read = _Read()
    for finished in wanted:
        try:
            read.results[finished.attempt] = opened(_decoded(finished), finished.sha256, limit)
        except HashMismatch as error:
            read.verdicts.append(Verdict(attempt=finished.attempt, verdict="again", message=error.message))
        except DistrenError as error:
            read.verdicts.append(Verdict(attempt=finished.attempt, verdict="refused", message=error.message))
            read.spoilt.append(_failure(finished, error))
    return read


def _without(report: Report, found: _Read) -> Report:
    """Return a report without the results that are none; those that arrived damaged are still on the slave."""
    gone = {verdict.attempt for verdict in found.verdicts}
    damaged = gone - {failed.attempt for failed in found.spoilt}
    changes = {
        "finished": [finished for finished in report.finished if finished.attempt not in gone],
        "failed": [*report.failed, *found.spoilt],
        "finishing": [*report.finishing, *sorted(damaged)],
    }
    return report.model_copy(update=changes)


def _decoded(finished: Finished) -> bytes:
    try:
        return binascii.a2b_base64(finished.inline, strict_mode=True)
    except ValueError as error:
        raise Malformed(f"The result of attempt {finished.attempt} is no base64.") from error


def _failure(finished: Finished, error: DistrenError) -> Failed:
    message = f"The slave's result can't be used: {error.message}"[:2000]
    return Failed(attempt=finished.attempt, failure_class=FailureClass.SLAVE, message=message, seconds=finished.seconds)
