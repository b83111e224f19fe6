"""Small results that ride inside a report: unpacked and durable before the report counts."""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass, field
from functools import partial

from farm.api.services import Services
from farm.jobs import results
from farm.jobs.unpack import Unpacked, unpack_bytes
from farm.protocol.slaves import Failed, Finished, Report, Verdict
from farm.words.errors import DistrenError, HashMismatch, Malformed, Unavailable
from farm.words.states import FailureClass


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


async def arrive(services: Services, slave: int, report: Report) -> Arrived:
    """Unpack a report's inline results, in a thread.

    Attempts that were not issued to this slave, or were revoked, are not unpacked; the
    scheduler refuses them.
    """
    if not any(finished.inline for finished in report.finished):
        return Arrived(report)
    return await asyncio.to_thread(_arrive, services, slave, report)


def _arrive(services: Services, slave: int, report: Report) -> Arrived:
    inline = [finished.attempt for finished in report.finished if finished.inline]
    welcome = services.database.read_now(partial(results.welcome, slave=slave, ids=inline))
    return _unpack(services, report, welcome, int(services.settings.result_limit))


def _unpack(services: Services, report: Report, welcome: set[int], limit: int) -> Arrived:
    unpacked: dict[int, Unpacked] = {}
    verdicts: list[Verdict] = []
    spoilt: list[Failed] = []
    for finished in report.finished:
        if not finished.inline or finished.attempt not in welcome:
            continue
        try:
            data = _decoded(finished)
            unpacked[finished.attempt] = unpack_bytes(services.store, data, finished.sha256, limit)
        except HashMismatch as error:
            verdicts.append(Verdict(attempt=finished.attempt, verdict="again", message=error.message))
        except Unavailable:
            raise
        except DistrenError as error:
            verdicts.append(Verdict(attempt=finished.attempt, verdict="refused", message=error.message))
            spoilt.append(_failure(finished, error))
    gone = {verdict.attempt for verdict in verdicts}
    damaged = gone - {failed.attempt for failed in spoilt}
    kept = [finished for finished in report.finished if finished.attempt not in gone]
    changes = {
        "finished": kept,
        "failed": [*report.failed, *spoilt],
        "finishing": [*report.finishing, *sorted(damaged)],
    }
    return Arrived(report.model_copy(update=changes), unpacked, tuple(verdicts))


def _decoded(finished: Finished) -> bytes:
    try:
        return base64.b64decode(finished.inline, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"The result of attempt {finished.attempt} is no base64.") from error


def _failure(finished: Finished, error: DistrenError) -> Failed:
    message = f"The slave's result can't be used: {error.message}"[:2000]
    return Failed(attempt=finished.attempt, failure_class=FailureClass.SLAVE, message=message, seconds=finished.seconds)
