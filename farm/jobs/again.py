"""A job that was there, submitted once more with changes: its files are here, so none travels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from farm.database.handle import Database
from farm.jobs import packages, submission
from farm.jobs.access import Asker
from farm.jobs.checks import Methods
from farm.jobs.depends import Elsewhere
from farm.jobs.rules import Rules
from farm.protocol.jobs import Submission
from farm.words import faults
from farm.words.errors import FilesMissing, Malformed


def former(conn: Connection, asker: Asker, job: int) -> Submission:
    """Return what a job was submitted as, for somebody who has all of its files here.

    Raises:
        JobNotFound: it is none of the asker's business.
        WrongState, Conflict: it is not whole, or no package can be made of it.
        FilesMissing: its files are another's, who alone may have them rendered.
    """
    found = packages.as_submitted(conn, asker, job)
    if submission.new_bytes(conn, asker, found):
        hint = "Ask its owner to submit it again, or submit the file yourself."
        raise FilesMissing(f"You have not sent the files of job {job}.", hint=hint, job=job, missing=[])
    return found


async def submit_again(
    database: Database,
    asker: Asker,
    job: int,
    changes: dict[str, Any],
    methods: Methods,
    rules: Rules,
    name: str,
    at: int,
    elsewhere: Elsewhere,
) -> int:
    """Make a new job of a former one's files, and queue it.

    Args:
        database: where it goes.
        asker: its owner.
        job: the former one.
        changes: fields of the submission that differ.
        methods: the render methods by name.
        rules: the server's limits.
        name: the server's.
        at: now, µs.
        elsewhere: asks other servers for what it depends on.

    Returns:
        The new job's number.

    Raises:
        Malformed: a change is none that a submission can have.
        DistrenError: what :func:`former` and :func:`farm.jobs.submission.submit` raise.
    """
    was = await database.read(partial(former, asker=asker, job=job))
    try:
        wish = await asyncio.to_thread(_changed, was, changes)
    except ValidationError as error:
        raise Malformed(f"{faults.first(error)}.", hint="Change it, and submit again.") from error
    made = await submission.submit(database, asker, wish, methods, rules, name, at, elsewhere)
    return await database.write(partial(submission.queue, asker=asker, job=made.job, at=at))


def _changed(was: Submission, changes: dict[str, Any]) -> Submission:
    return Submission.model_validate({**was.model_dump(), **changes})


def settings_of(names: Iterable[str], values: Iterable[str]) -> dict[str, Any]:
    """Return settings as a form gives them: numbers and truths as such, else text; none for an empty one. Pure.

    Args:
        names: of the settings, in their order.
        values: their values, in the same order.
    """
    told = {name.strip(): value.strip() for name, value in zip(names, values, strict=False)}
    return {name: _value(text) for name, text in told.items() if name and text}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
