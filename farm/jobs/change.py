"""Changes to a job that is in the farm already."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, select, update

from farm.database import eventlog
from farm.database.schema import jobs, slaves
from farm.jobs.access import Asker, changing
from farm.jobs.pools import must_let_in
from farm.jobs.rules import Rules
from farm.methods.sets import JobSets
from farm.protocol.jobs import JobChange, Limits, Requirement
from farm.scheduler import jobrow, jobstate, pin
from farm.scheduler.jobstate import Growth
from farm.words.errors import BadFrameRange, BadSetting, NotFound, WrongState
from farm.words.ranges import FrameRange


def change(conn: Connection, asker: Asker, job: int, wanted: JobChange, rules: Rules, at: int) -> None:
    """Change a job.

    Raises:
        JobNotFound: it is none of the asker's business.
        NeedsConfirmation: it is another user's, and nobody asked the person yet.
        NotFound: a slave or a pool that is named does not exist.
        Forbidden: the pool is for others.
        BadFrameRange: frames that can't be added.
        WrongState: another version, but frames are rendered with the former one.
    """
    detail = wanted.model_dump_json(exclude_defaults=True, exclude={"confirmed"})
    must_let_in(conn, asker, wanted.pool or "")
    row = changing(conn, asker, job, "change", confirmed=wanted.confirmed, at=at, detail=detail)
    values = {**_plain(wanted), **_admitted(conn, row, wanted), **_version(conn, row, wanted)}
    values |= _limits(row, wanted, values.get("revision", row.revision))
    if values:
        conn.execute(update(jobs).where(jobs.c.number == job).values(**values, changed=at))
        jobrow.forget(conn, job)
        eventlog.note(conn, "job", at=at, job=job, data={"changed": sorted(values)})
    if wanted.add_frames is not None:
        _add_frames(conn, row, wanted.add_frames, rules, at)


def _plain(wanted: JobChange) -> dict[str, Any]:
    told = wanted.model_dump(include={"name", "priority", "project", "comment"}, exclude_none=True)
    if wanted.max_slaves is not None:
        told["max_slaves"] = wanted.max_slaves or None
    if told.get("name") == "":
        raise BadSetting("name: a job's name can't be empty.")
    return told


def _limits(row: Row[Any], wanted: JobChange, revision: int) -> dict[str, Any]:
    """Return other limits, for frames that begin from now on; slaves read the sheet anew."""
    told = wanted.model_dump(include={"render_seconds", "silence_seconds"}, exclude_none=True)
    if not told:
        return {}
    limits = Limits.model_validate_json(row.limits).model_copy(update={k: v or None for k, v in told.items()})
    return {"limits": limits.model_dump_json(), "revision": revision + 1}


def _version(conn: Connection, row: Row[Any], wanted: JobChange) -> dict[str, Any]:
    """Return another requirement, not pinned yet; pictures of two versions or devices never get into one job."""
    told = wanted.model_dump(include={"version", "newer", "device"}, exclude_none=True)
    demands = wanted.model_dump(include={"tags", "pool"}, exclude_none=True)
    if not told and not demands:
        return {}
    rendered = 0 if not told or told == {"device": "any"} else pin.unpin(conn, row.number)
    if rendered:
        raise WrongState(
            f"Job {row.number}: {rendered:,} of its frames are rendered, or being rendered, "
            f"with {row.pinned or 'one version'}, and all frames of a job are rendered with one version "
            "on one class of devices.",
            hint="Send it as a new job to render it with another; device=any lets its frames differ.",
        )
    requires = Requirement.model_validate_json(row.requires).model_copy(update=told | demands)
    return {"requires": requires.model_dump_json(), "revision": row.revision + 1}


def _admitted(conn: Connection, row: Row[Any], wanted: JobChange) -> dict[str, Any]:
    if not (wanted.add_slaves or wanted.remove_slaves):
        return {}
    _must_exist(conn, {*wanted.add_slaves, *wanted.remove_slaves})
    only, never = admitted(
        set(json.loads(row.slaves)), set(json.loads(row.not_slaves)), set(wanted.add_slaves), set(wanted.remove_slaves)
    )
    return {"slaves": json.dumps(sorted(only)), "not_slaves": json.dumps(sorted(never))}


def admitted(only: set[str], never: set[str], add: set[str], remove: set[str]) -> tuple[set[str], set[str]]:
    """Return the new lists of slaves that alone may render a job, and of those that may not. Pure.

    Adding a slave that was kept away lets it in again; adding another puts it among those
    that alone may. Removing keeps it away.

    Args:
        only: slaves that alone may; empty: any.
        never: slaves that are kept away.
        add: slaves to let in.
        remove: slaves to keep away.

    Raises:
        BadSetting: nobody of those that alone may would be left, or a slave is in both lists.
    """
    if add & remove:
        raise BadSetting(f"slaves: {', '.join(sorted(add & remove))} can't be both added and removed.")
    left = (only | (add - never)) - remove
    if only and not left:
        raise BadSetting("slaves: none of those that alone may render this job would be left.", hint="Add another.")
    return left, (never - add) | remove


def _must_exist(conn: Connection, names: set[str]) -> None:
    known = set(conn.execute(select(slaves.c.name).where(slaves.c.name.in_(names))).scalars())
    if names - known:
        unknown = ", ".join(sorted(names - known))
        raise NotFound(f"There is no slave {unknown}.", hint="`distren slaves` lists them.")


def _add_frames(conn: Connection, row: Row[Any], text: str, rules: Rules, at: int) -> None:
    more, have = FrameRange.pictures(text, rules.frames), FrameRange.parse(row.frames)
    sets = JobSets.stored(row.frames, row.sets)
    before = {one.name: one.numbers for one in sets.portions()}
    if row.sets is not None:
        sets = sets.more(more)
        conn.execute(update(jobs).where(jobs.c.number == row.number).values(sets=sets.model_dump_json()))
    growing = [Growth(more, one.shift, one.name or None, before.get(one.name)) for one in sets.growing()]
    if len(set(have).union(*(more.shifted(one.shift) for one in growing))) > rules.frames:
        raise BadFrameRange(f"Job {row.number} would have more than {rules.frames:,} frames.", hint="Make a new job.")
    jobstate.add_frames(conn, row.number, growing, at)
