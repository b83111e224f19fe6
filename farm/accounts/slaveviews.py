"""Slaves, as people see them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, func, select
from sqlalchemy.engine import Connection

from farm.accounts import lending
from farm.accounts.measured import measured_now
from farm.accounts.reliability import Record, after, on_probation, reliability
from farm.database.schema import attempts, slaves, spot_checks, users
from farm.protocol.errands import ErrandOrder
from farm.protocol.slaves import Hardware, Offer
from farm.protocol.slaveviews import Measuring, Reliability, SlaveView
from farm.protocol.upgrades import Upgrade, UpgradeView
from farm.words.checks import CheckState
from farm.words.clock import moment, now
from farm.words.names import Address
from farm.words.states import AttemptState, SlaveState

_OFFERS = TypeAdapter(list[Offer])


def views(
    conn: Connection,
    server: str,
    owner: int | None = None,
    name: str = "",
    after: str = "",
    limit: int | None = None,
    states: Collection[SlaveState] = (),
    of: str = "",
) -> list[SlaveView]:
    """Return slaves by name; retired ones are left out.

    Args:
        conn: a connection.
        server: this server's name, for addresses of frames.
        owner: only slaves of this user; None: all.
        name: only the slave of this name; empty: all.
        after: only those behind this name.
        limit: the most slaves; None: all.
        states: only those in one of these; empty: all.
        of: only slaves of the user of this name; empty: all.
    """
    query = select(slaves, users.c.name.label("owner_name")).join(users, users.c.id == slaves.c.owner)
    query = query.where(slaves.c.state != SlaveState.RETIRED).order_by(slaves.c.name)
    if owner is not None:
        query = query.where(slaves.c.owner == owner)
    if of:
        query = query.where(users.c.name == of)
    if name:
        query = query.where(slaves.c.name == name)
    if after:
        query = query.where(slaves.c.name > after)
    if states:
        query = query.where(slaves.c.state.in_([state.value for state in states]))
    running, checked, measured = _running(conn, server), _checked(conn), measured_now(conn)
    rows = conn.execute(query.limit(limit)).mappings()
    return [_view(row, running[row["id"]], checked[row["id"]], measured.get(row["id"])) for row in rows]


def _checked(conn: Connection) -> defaultdict[int, dict[str, int]]:
    """Return how many spot checks each slave's results have had, by their states."""
    c = spot_checks.c
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for slave, state, count in conn.execute(select(c.slave, c.state, func.count()).group_by(c.slave, c.state)):
        found[slave][state] = count
    return found


def _running(conn: Connection, server: str) -> defaultdict[int, list[str]]:
    """Return the addresses of the frames that each slave renders now."""
    c = attempts.c
    query = select(c.slave, c.job, c.frame).where(c.state == AttemptState.OPEN, c.started.is_not(None)).order_by(c.id)
    found: defaultdict[int, list[str]] = defaultdict(list)
    for slave, job, frame in conn.execute(query):
        found[slave].append(str(Address(server, job, frame)))
    return found


def _view(row: RowMapping, running: list[str], checked: dict[str, int], measuring: Measuring | None) -> SlaveView:
    offers = _OFFERS.validate_json(row["offers"])
    return SlaveView(
        name=row["name"],
        owner=row["owner_name"],
        state=SlaveState(row["state"]),
        version=row["version"],
        slots=row["slots"],
        hardware=Hardware.model_validate(json.loads(row["hardware"])) if row["hardware"] else None,
        offers=offers,
        tags=sorted({*row["tags"].split(), *(tag for offer in offers for tag in offer.tags)}),
        pool=row["pool"],
        last_seen=moment(row["seen"]),
        running=running,
        frames_done=row["done"],
        message=row["message"],
        build=row["build"],
        upgrade=_upgrade(row["upgrade"], row["upgrade_said"]),
        terms=lending.in_force(row["terms"], row["accept"]),
        reliability=_reliability(after(Record(row["good"], row["bad"], row["judged"]), 0, 0, now()), checked),
        errand=ErrandOrder.model_validate_json(row["errand"]) if row["errand"] else None,
        measuring=measuring,
    )


def _reliability(record: Record, checked: dict[str, int]) -> Reliability:
    """Return a slave's record as people see it. Pure."""
    return Reliability(
        value=round(reliability(record), 3),
        good=round(record.good, 1),
        bad=round(record.bad, 1),
        probation=on_probation(record) or checked.get(CheckState.DOUBTED, 0) > 0,
        passed=checked.get(CheckState.PASSED, 0),
        undecided=checked.get(CheckState.UNDECIDED, 0),
        doubted=checked.get(CheckState.DOUBTED, 0),
    )


def _upgrade(upgrade: str, said: str) -> UpgradeView | None:
    """Return how far a slave is, as people see it; None: nothing is to be said. Pure."""
    if upgrade:
        return UpgradeView.model_validate({"version": Upgrade.model_validate_json(upgrade).version, "stage": said})
    return UpgradeView(stage="failed", message=said) if said else None
