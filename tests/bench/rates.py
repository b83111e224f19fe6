"""Claim and return over HTTP, as often as it goes: load by wrk, everything on that production has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import MakeInvite, Register, Role
from tests.bench.driving import Callers, Load, Rate
from tests.bench.entry import Entry
from tests.databases import mariadb_server
from tests.farm.balanced import BalancedFarm
from tests.farm.farm import PASSPHRASE, Farm, running


def measured(folder: Path) -> Iterator[Entry]:
    """Measure on SQLite."""
    with running(folder, heartbeat_seconds="5") as farm:
        yield from _all(farm, folder, "SQLite", {(8, 1): 1500, (64, 1): 3000, (8, 16): None, (64, 16): 6000})


def on_mariadb(folder: Path) -> Iterator[Entry]:
    """Measure on MariaDB, durable."""
    with mariadb_server() as server, server.fresh() as url, running(folder, url, heartbeat_seconds="5") as farm:
        yield from _all(farm, folder, "MariaDB", {(8, 1): None, (64, 1): 2000, (64, 16): 4000})


def by_two(folder: Path) -> Iterator[Entry]:
    """Measure two processes on one MariaDB, beside one of them; and what each side takes of the processors."""
    with mariadb_server() as server, server.fresh() as url:
        database = [psutil.Process(server.process.pid)]
        with contextlib.closing(BalancedFarm(folder, url, heartbeat_seconds="5")) as farm:
            callers = Callers(farm, folder, databases=database)
            both, many = callers.rate(Load(64)), callers.rate(Load(64, 16))
        name = "MariaDB: returns, 1 per report, 64 connections, 2 processes"
        yield Entry(name, both.frames, "frames/s", ">= 3500", note=f"{both}; past the balancer")
        yield _ceiling("MariaDB, 2 processes", both)
        name = "MariaDB: returns, 16 per report, 64 connections, 2 processes"
        yield Entry(name, many.frames, "frames/s", note=f"{many}; past the balancer")


def _ceiling(name: str, rate: Rate) -> Entry:
    """Return what these two cores could do if they never waited, and did nothing but this."""
    cores = psutil.cpu_count() or 1
    note = f"{rate.shares}, together {rate.shares.all:.2f} ms; {cores} cores that never wait"
    return Entry(f"{name}: returns that this machine's CPU time is enough for", cores * 1000 / rate.shares.all,
                 "frames/s", note=note)  # fmt: skip


def _all(farm: Farm, folder: Path, database: str, goals: dict[tuple[int, int], int | None]) -> Iterator[Entry]:
    callers = Callers(farm, folder)
    for (connections, batch), goal in goals.items():
        rate = callers.rate(Load(connections, batch))
        name = f"{database}: returns, {batch} per report, {connections} connections"
        note = f"{rate}; results without a file"
        yield Entry(name, rate.frames, "frames/s", f">= {goal}" if goal else "", "Tractor, Slurm 500", note=note)
        if (connections, batch) == (8, 1):
            yield Entry(f"{database}: p99 of a call at 8 connections", rate.p99, "ms", "<= 50")
    rate = callers.rate(Load(8, bytes=10_000))
    yield Entry(f"{database}: returns with a 10 KB file inline, 8 connections", rate.frames, "frames/s",
                note=f"{rate}; other bytes each time")  # fmt: skip
    rate = Callers(farm, folder, _other_user(farm)).rate(Load(64))
    yield Entry(f"{database}: returns that earn points, 64 connections", rate.frames, "frames/s",
                note=f"{rate}; another user's slaves, a row of the ledger each")  # fmt: skip


def _other_user(farm: Farm) -> FarmClient:
    invite = farm.client.make_invite(MakeInvite(role=Role.USER)).code
    granted = farm.asking().register(Register(name="bea", passphrase=PASSPHRASE, invite=invite))
    return FarmClient(farm.url, granted.token)
