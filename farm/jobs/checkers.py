"""Who may check what a stranger's slave returned, and whose word counts against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, select

from farm.accounts.provisional import in_doubt
from farm.database.schema import attempts, slaves, spot_checks, users
from farm.protocol.accounts import Role
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Hardware
from farm.scheduler import crowd, jobrow
from farm.scheduler.checkrules import FIRST
from farm.scheduler.fit import fits, fitting
from farm.words.backends import backend
from farm.words.checks import CheckState
from farm.words.names import of_peer

_DRAWN = ("BLENDER_EEVEE", "BLENDER_WORKBENCH")
"""Engines that draw by GL."""


def able(conn: Connection, check: Any, job: Row[Any], farm: int, *, strangers: bool = True) -> set[str]:
    """Return the live slaves that may check a result, and would: an admin's, and those of whom ten results have passed.

    None of the same owner as the one that is checked, nor as its job but an admin's; none that has drawn it already.
    An admin's may even where a job names its slaves: else two could earn by jobs that admit each other's slaves only.
    And none whose owner lends it to some users alone, or without what is needed: it would never take the check.

    Args:
        conn: any connection.
        check: the check's row.
        job: the row of the job whose frame is checked.
        farm: the user whose jobs checks are.
        strangers: users don't know each other, so a job that is not their own runs in a sandbox only.
    """
    accused = owner_of(conn, check.slave)
    admins = set(conn.execute(select(users.c.id).where(users.c.role == Role.ADMIN)).scalars())
    before = {one["slave"] for one in json.loads(check.drawn)}
    needs = needed(jobrow.requirement(job.requires, job.pinned), accused.name)
    admits = jobrow.admission(job.slaves, job.not_slaves)
    anybody, proven = jobrow.admission("[]", "[]"), _proven(conn)
    return {
        one.name
        for one in fitting(needs, anybody, crowd.live(conn), farm)
        if (one.owner in admins or (one.id in proven and one.owner != job.owner and admits.admits(one.name)))
        and (one.contained or not strangers)
        and one.owner != accused.id
        and one.id not in before
    }


def owner_of(conn: Connection, slave: int) -> Any:
    """Return the id and the name of a slave's owner."""
    query = select(users.c.id, users.c.name).join(slaves, slaves.c.owner == users.c.id)
    return conn.execute(query.where(slaves.c.id == slave)).one()


def needed(requires: Requirement, owner: str) -> Requirement:
    """Return what is needed to check a result: what its job needs, but for the word that all slaves of a peer have.

    Else what was rendered `--on annex` could be checked by slaves of annex alone.

    Args:
        requires: what the job needs.
        owner: whose slave is checked.
    """
    if not of_peer(owner):
        return requires
    word, cut, _ = owner.removeprefix("@").partition("~")
    tags = [tag for tag in requires.tags if tag != word and not (cut and tag.startswith(word))]
    return requires.model_copy(update={"tags": tags})


def _proven(conn: Connection) -> set[int]:
    """Return the slaves of which ten results have passed, and none was false nor is in doubt."""
    c = spot_checks.c
    passed = select(c.slave).where(c.state == CheckState.PASSED.value).group_by(c.slave).having(func.count() >= FIRST)
    false = select(c.slave).where(c.state.in_([CheckState.FALSE.value, CheckState.CONVICTED.value]))
    return {*conn.execute(passed).scalars()} - {*conn.execute(false).scalars()} - in_doubt(conn)


def alike(conn: Connection, one: int, other: int, requires: Requirement) -> bool:
    """Tell whether two attempts were made on machines of one class, as these say themselves.

    Args:
        conn: any connection.
        one: an attempt.
        other: another one.
        requires: what both were rendered with.
    """
    return _share(conn, (one, other), requires, _kinds)


def kin(conn: Connection, one: int, other: int, requires: Requirement) -> bool:
    """Tell whether two attempts were made by the very build of the renderer, on processors of whatever kind."""
    return _share(conn, (one, other), requires, _builds)


Kinds = Iterator[tuple[object, ...]]


def _share(
    conn: Connection, both: tuple[int, int], requires: Requirement, kinds: Callable[[Any, Requirement], Kinds]
) -> bool:
    c = attempts.c
    columns = (c.issued, c.device, slaves.c.hardware, slaves.c.offers, slaves.c.tags, slaves.c.changed)
    query = select(*columns).join(slaves, slaves.c.id == c.slave).where(c.id.in_(both))
    rows = conn.execute(query).all()
    if len(rows) != 2 or not all(row.hardware and row.changed <= row.issued for row in rows):
        return False
    first, second = (set(kinds(row, requires)) for row in rows)
    return bool(first & second)


def _kinds(row: Any, requires: Requirement) -> Kinds:
    """Yield the class of an attempt's machine with each of its renderers that fit, lent or not.

    It has all that the last bits of a picture may depend on. Where that is not known, there is no class.
    """
    machine = Hardware.model_validate_json(row.hardware)
    words, cards = machine.system.split(), sorted(d for d in machine.devices if backend(d) == row.device and row.device)
    if not machine.arithmetic or (row.device and not machine.drivers):
        return
    computer = (*words[:1], *words[-1:], machine.arithmetic, *machine.devices[:1], *cards)
    for offer in crowd.offers(row.offers, row.tags, ""):
        if not fits(requires, [offer]):
            drawn = offer.drawer if requires.engine.startswith(_DRAWN) else ""
            drivers = machine.drivers if row.device else []
            yield (*computer, *drivers, row.device, drawn, offer.version, offer.build, *sorted(offer.engines))


def _builds(row: Any, requires: Requirement) -> Kinds:
    """Yield the builds that an attempt may have been made by on a processor; engines of GL have drivers, too."""
    if row.device or not requires.engine.startswith("CYCLES"):
        return
    for offer in crowd.offers(row.offers, row.tags, ""):
        if offer.build and not fits(requires, [offer]):
            yield offer.version, offer.build
