"""Doubts: others drew another picture than a slave, and none of them has its very build of the renderer.

So nothing says for certain who is right. Admins are told, and see both pictures; until one of them has said which is
true, or a slave of that build has drawn the frame, the slave is on probation, and what it earned can't be spent.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from farm.accounts import deeds, notices, provisional
from farm.database.schema import jobs, slaves, spot_checks, trusted_builds, users
from farm.jobs import checkers
from farm.jobs.files import insert_once
from farm.protocol.accounts import Role
from farm.protocol.doubts import DoubtView
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer
from farm.scheduler import bulk, crowd, jobrow
from farm.scheduler.checks import PATIENCE
from farm.scheduler.fit import fits
from farm.words.checks import CheckState
from farm.words.clock import moment
from farm.words.errors import NotFound
from farm.words.names import Address
from farm.words.notices import About as Told
from farm.words.states import JobState

TRUSTED = "An admin trusts its build of the renderer, which draws otherwise than others."
FALSE = "an admin has seen it, and what others drew."
MOST = 100
"""Doubts that are shown at once."""

_DOUBTED = spot_checks.c.state == CheckState.DOUBTED.value


def named(offer: Offer) -> str:
    """Return what a renderer is called, with its build."""
    return f"{offer.method} {offer.version} {offer.build}".strip()


def build_of(conn: Connection, slave: int, requires: Requirement) -> str:
    """Return the renderer by which a slave says that it renders a job; empty: none that it has now."""
    row = conn.execute(select(slaves.c.offers, slaves.c.tags).where(slaves.c.id == slave)).one()
    return next((named(offer) for offer in crowd.offers(row.offers, row.tags, "") if not fits(requires, [offer])), "")


def requirement(conn: Connection, job: int) -> Requirement:
    """Return what a job needs."""
    row = conn.execute(select(jobs.c.requires, jobs.c.pinned).where(jobs.c.number == job)).one()
    return jobrow.requirement(row.requires, row.pinned)


def trusts(conn: Connection, slave: int, build: str) -> bool:
    """Tell whether an admin trusts a build on a slave's owner's machines."""
    c = trusted_builds.c
    query = select(c.at).join(slaves, slaves.c.owner == c.owner).where(slaves.c.id == slave, c.build == build)
    return conn.execute(query).first() is not None


def tell(conn: Connection, check: Any, build: str, at: int) -> None:
    """Tell all admins of a slave's first doubt."""
    if check.slave in provisional.in_doubt(conn):
        return
    name = conn.execute(select(slaves.c.name).where(slaves.c.id == check.slave)).scalar_one()
    title = f"Slave {name} draws otherwise than others"
    body = (
        f"Frame {check.frame} of job {check.job}: others drew another picture, but not by its very build, “{build}”. "
        "Until you have said which is right, it gets single frames only, and what it earned can't be spent. See both "
        "on its page, or by `distren slaves doubts`."
    )
    for user in conn.execute(select(users.c.id).where(users.c.role == Role.ADMIN).order_by(users.c.id)).scalars().all():
        notices.tell(conn, user, Told.SLAVE, title, body, f"/slaves/{name}", at)


def same_build(conn: Connection, who: Collection[str], build: str) -> set[str]:
    """Return those of some slaves that say they have a build; none if it has no name of its own."""
    machines = (one for one in crowd.live(conn) if one.name in who)
    return {one.name for one in machines if any(offer.build and named(offer) == build for offer in one.offers)}


def reconsider(conn: Connection, some: Sequence[Any], farm: int, at: int, *, strangers: bool) -> None:
    """Settle what an admin trusts meanwhile, and have others of the same build look once.

    Args:
        conn: the writer's.
        some: checks that are doubted.
        farm: the user whose jobs checks are.
        at: now, µs.
        strangers: see :func:`farm.jobs.checkers.able`.
    """
    for check in some:
        job = conn.execute(select(jobs).where(jobs.c.number == check.job)).one()
        gone = job.state == JobState.DELETED or job.let_go is not None or at > check.at + PATIENCE
        others = json.loads(check.drawn)
        if not any(one["kin"] or one["like"] for one in others) and trusts(conn, check.slave, check.build):
            _settle(conn, [check], CheckState.UNDECIDED, TRUSTED, at)
        elif not (gone or check.said):
            able = checkers.able(conn, check, job, farm, strangers=strangers)
            if same_build(conn, able, check.build):
                where = spot_checks.c.attempt == check.attempt, _DOUBTED
                conn.execute(update(spot_checks).where(*where).values(state=CheckState.DUE.value))


def views(conn: Connection, server: str, slave: str = "") -> list[DoubtView]:
    """Return doubts, newest first.

    Args:
        conn: any connection.
        server: this server's name.
        slave: of this one only; empty: of all.
    """
    names = slaves.c.name.label("slave_name"), users.c.name.label("owner")
    query = select(spot_checks, *names).join(slaves, slaves.c.id == spot_checks.c.slave)
    query = query.join(users, users.c.id == slaves.c.owner).where(provisional.doubtful())
    query = query.where(slaves.c.name == slave) if slave else query
    return [_view(conn, server, row) for row in conn.execute(query.order_by(spot_checks.c.attempt.desc()).limit(MOST))]


def _view(conn: Connection, server: str, row: Any) -> DoubtView:
    drew = [one["slave"] for one in json.loads(row.drawn)]
    named_so = conn.execute(select(slaves.c.id, slaves.c.name).where(slaves.c.id.in_(drew)))
    known = {one.id: one.name for one in named_so}
    at = moment(row.at)
    assert at is not None
    return DoubtView(
        attempt=row.attempt,
        slave=row.slave_name,
        owner=row.owner,
        address=str(Address(server, row.job, row.frame)),
        job=row.job,
        frame=row.frame,
        at=at,
        build=row.build,
        tile=row.tile,
        said=row.said,
        others=[known[one] for one in drew if one in known],
        picture=f"/api/doubts/{row.attempt}/checked",
        other=f"/api/doubts/{row.attempt}/other",
    )


def picture(conn: Connection, attempt: int, which: str) -> tuple[str, str]:
    """Return the hash of one of a doubt's pictures, and which tile of it is meant (empty: all).

    Args:
        conn: any connection.
        attempt: the one that is doubted.
        which: `checked`, or `other`.

    Raises:
        NotFound: there is no such doubt.
    """
    c = spot_checks.c
    column = c.picture if which == "checked" else c.other
    found = conn.execute(select(column, c.tile).where(c.attempt == attempt, provisional.doubtful())).first()
    if found is None or found[0] is None:
        raise NotFound(f"Attempt {attempt} is not in doubt.", hint="It may have been settled meanwhile.")
    return found[0].hex(), found.tile


def trust(conn: Connection, slave: str, admin: int, at: int) -> list[str]:
    """Trust the builds by which a slave's doubted frames were drawn, on its owner's machines; return them.

    Raises:
        NotFound: nothing of it is in doubt.
    """
    rows = _of(conn, slave)
    builds = sorted({row.build for row in rows})
    trusted = [{"owner": rows[0].owner, "build": build, "by": admin, "at": at} for build in builds]
    conn.execute(insert_once(trusted_builds), trusted)
    _settle(conn, rows, CheckState.UNDECIDED, TRUSTED, at)
    deeds.note(conn, admin, "trust build", at=at, detail=f"{slave}: {', '.join(builds)}")
    return builds


def distrust(conn: Connection, slave: str, admin: int, at: int) -> list[str]:
    """Trust no builds any more on the machines of a slave's owner; return those that were.

    Raises:
        NotFound: none was.
    """
    c = trusted_builds.c
    owner = select(slaves.c.owner).where(slaves.c.name == slave).scalar_subquery()
    builds = list(conn.execute(select(c.build).where(c.owner == owner).order_by(c.build)).scalars())
    if not builds:
        raise NotFound(f"No build is trusted on the machines of the owner of “{slave[:40]}”.")
    conn.execute(trusted_builds.delete().where(c.owner == owner))
    deeds.note(conn, admin, "distrust build", at=at, detail=f"{slave}: {', '.join(builds)}")
    return builds


def convict(conn: Connection, slave: str, admin: int, at: int) -> None:
    """Say that what a slave drew is false; what follows is as if two others had found it out.

    Raises:
        NotFound: nothing of it is in doubt.
    """
    _settle(conn, _of(conn, slave), CheckState.FALSE, FALSE, at)
    deeds.note(conn, admin, "convict slave", at=at, detail=slave)


def _of(conn: Connection, slave: str) -> Sequence[Any]:
    c = spot_checks.c
    query = select(c.attempt, c.slave, c.build, c.state, c.work, slaves.c.owner).join(slaves, slaves.c.id == c.slave)
    rows = conn.execute(query.where(slaves.c.name == slave, provisional.doubtful())).all()
    if not rows:
        raise NotFound(f"Nothing that “{slave[:40]}” drew is in doubt.", hint="`distren slaves doubts` lists what is.")
    return rows


def _settle(conn: Connection, rows: Sequence[Any], state: CheckState, said: str, at: int) -> None:
    """End some doubts; what is just rendered for one of them is not needed any more."""
    for row in rows:
        if row.state == CheckState.RENDERING:
            bulk.delete(conn, row.work, at)
    where = spot_checks.c.attempt.in_([row.attempt for row in rows])
    conn.execute(update(spot_checks).where(where).values(state=state.value, said=said, picture=None, other=None))
