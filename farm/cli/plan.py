"""`simulate --by`: how many slaves does a job need to be done in time?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from farm.cli.output import emit, say, span, table
from farm.cli.serverside import servers_packages
from farm.words import clock
from farm.words.clock import SECOND
from farm.words.errors import Malformed
from farm.words.moments import moment_of
from farm.words.settings import ServerSettings

if TYPE_CHECKING:
    from farm.jobs.deadlines import Known
    from farm.scheduler.planning import Row

WIDE = 12
"""Characters of the plot's longest bar."""


def answer(job: str, by: str, frames: int, minutes: float, settings: ServerSettings, *, json: bool) -> None:
    """Print the answer, with its figures.

    Raises:
        Malformed: something is missing that it needs.
    """
    if not by or not (job or minutes):
        mend = "distren simulate --plan 12 --by “friday 18:00”, or --frames 250 --minutes-per-frame 4 --by …"
        raise Malformed("A plan needs a deadline, and a job or frames with their minutes.", hint=mend)
    now = datetime.now().astimezone()
    until = moment_of(by, now)
    with servers_packages():
        from farm.jobs import deadlines
        from farm.scheduler import planning
    at, within = clock.now(), round((until - now).total_seconds() * SECOND)
    if job:
        known = _read(settings, partial(deadlines.of_job, job=_number(job), at=at))
    else:
        known = _read(settings, partial(deadlines.of_frames, frames=frames, minutes=minutes, at=at))
    ask = partial(planning.needed, known.loads, known.usage, known.job, within=within, at=at)
    counts = [ask(each) for each in (known.span.low, known.span.mean, known.span.high)]
    shown = sorted({1, *(n for n in counts if n), *(2 * n for n in counts[1:2] if n), max(1, known.slots)})
    rows = [planning.row(known.loads, known.usage, known.job, known.span, slots, at) for slots in shown]
    _tell(known, counts, rows, now, until, json=json)


def _read(settings: ServerSettings, query: Callable[..., Known]) -> Known:
    from farm.database import engine

    reading = engine.reading(settings.database_url)
    try:
        with engine.opening(settings.database_url), reading.connect() as conn:
            return query(conn)
    finally:
        reading.dispose()


def _number(job: str) -> int:
    if not job.isdigit():
        raise Malformed(f"“{job}” is no job's number.", hint="Write it as in `distren jobs`.")
    return int(job)


def _tell(
    known: Known, counts: list[int | None], rows: list[Row], now: datetime, until: datetime, *, json: bool
) -> None:
    best, probably, sure = counts
    if json:
        told = [{name: getattr(row, name) / (SECOND if name != "slots" else 1) for name in _NAMES} for row in rows]
        facts = {"by": until.isoformat(), "slots": {"best": best, "probably": probably, "sure": sure}, "rows": told}
        emit({**facts, "frames": known.frames, "measured": known.measured, "here": known.slots})
        return
    what = f"job {known.job}" if known.job else "such a job"
    say(_sentence(what, known, counts, until))
    longest = max(row.mean for row in rows)
    titles = ("slots", "done", "at best", "at worst", "")
    table(titles, [_line(row, now, until, longest) for row in rows], right=["slots"])
    say(_assumed(known))


_NAMES = ("slots", "low", "mean", "high")


def _sentence(what: str, known: Known, counts: list[int | None], until: datetime) -> str:
    when, (_, probably, sure) = f"{until:%A %d %B %H:%M}", counts
    if probably is None:
        return f"No number of slaves gets {what} done by {when}: a frame takes {span(known.span.mean / SECOND)}."
    many = f"{probably} slot{'' if probably == 1 else 's'}"
    safe = f"{sure} to be safe" if sure else "no number is safe"
    return f"For {what} ({known.frames:,} frames) by {when}: {many}, {safe}. Here now: {known.slots}."


def _line(row: Row, now: datetime, until: datetime, longest: int) -> list[str]:
    ends = [now + timedelta(seconds=us / SECOND) for us in (row.mean, row.low, row.high)]
    bar = "█" * max(1, round(WIDE * row.mean / max(1, longest)))
    late = "" if ends[0] <= until else " late"
    return [str(row.slots), *(f"{end:%a %d %b %H:%M}" for end in ends), f"{bar}{late}"]


def _assumed(known: Known) -> str:
    each = span(known.span.mean / SECOND)
    told = f"measured on {known.measured:,} frames of it" if known.measured > 1 else "a guess, taken as half to twice"
    return (
        f"Assumed: {each} a frame ({told}), slots as fast as those, all of them rendering all the time for the whole "
        "queue of now by the fair queue's rules, nobody sending more, nothing failing."
    )
