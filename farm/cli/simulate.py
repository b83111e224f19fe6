"""`simulate`: try a farm of pretend slaves, over HTTP or in virtual time."""

from __future__ import annotations

import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from farm.cli import simulateoptions as options
from farm.cli.drilling import at_server, drilled, frames_shown, teller
from farm.cli.options import Data, DatabaseUrl, Json, Yes
from farm.cli.output import emit, notice, say, span
from farm.cli.plan import answer
from farm.cli.serverside import servers_packages
from farm.cli.simulateoptions import share
from farm.words.errors import DistrenError, Malformed
from farm.words.settings import ServerSettings, load

if TYPE_CHECKING:
    from farm.simulator.days import Day
    from farm.simulator.drill import Scenario
    from farm.simulator.report import Account

EACH = 2
"""Jobs of a user in a wave."""


def simulate(
    virtual: options.Virtual = False,
    slaves: options.Slaves = 100,
    users: options.Users = 5,
    frames: options.Frames = 2000,
    waves: options.Waves = 2,
    seconds: options.Seconds = 1.0,
    mariadb: options.MariaDB = False,
    server: options.Server = "",
    yes: Yes = False,
    failures: options.Failures = 2.0,
    deaths: options.Deaths = 0.05,
    late: options.Late = 0.05,
    delay: options.Delay = 0.0,
    faults: options.Faults = "",
    days: options.Days = 7,
    crash_daily: options.CrashDaily = False,
    seed: options.Seed = 1,
    plan: options.PlanJob = "",
    by: options.By = "",
    minutes_per_frame: options.Minutes = 0.0,
    data: Data = None,
    database: DatabaseUrl = None,
    folder: options.Folder = None,
    report: options.Report = Path("simulation"),
    json: Json = False,
) -> None:
    """Try a farm of pretend slaves, and see that nothing is lost or counted twice.

    It starts a server of its own in a temporary folder, lets thousands of pretend slaves render at it over real HTTP,
    and does to it what you name. With --virtual, days pass in minutes. Whatever must be true is audited during the
    run and after it. Exit code 1 if something was not; then the report names it.

    With --server it happens at a server that is there (admins): with users, slaves and a pool of its own, which are
    taken away afterwards. It asks before.

    With --by it answers instead how many slaves a job needs (--plan 12, or --frames 250 --minutes-per-frame 4) to be
    done by then, by the rules of the fair queue over today's queue; on the server's machine, it changes nothing.
    """
    if by or plan:
        answer(plan, by, frames, minutes_per_frame, load(ServerSettings, None, data=data, database=database), json=json)
        return
    _quieten()
    with servers_packages():
        from farm.simulator.drill import Scenario
        from farm.simulator.manner import Manner
        from farm.simulator.population import Plan
    _go_together(virtual=virtual, mariadb=mariadb, faults=faults, server=server)
    bad, dead, tardy = share(failures), share(deaths), share(late)
    if virtual:
        week = Plan(days, slaves, users, frames, bad, dead, tardy, crashes=int(crash_daily), seed=seed)
        account = _week(week, folder, json=json)
    else:
        manner = Manner(1, seconds, spread=0.3, speeds=0.5, failures=bad, deaths=dead, late=tardy, delay=delay)
        each = max(1, -(-frames // (users * EACH * waves)))
        scenario = Scenario(slaves, users, EACH, each, waves, manner, faults=options.names(faults), seed=seed)
        if server:
            account = at_server(scenario, server, _again(), yes=yes, json=json)
        else:
            account = _drill(scenario, folder, mariadb=mariadb, json=json)
    _tell(account, report, json=json)


def _go_together(*, virtual: bool, mariadb: bool, faults: str, server: str) -> None:
    if virtual and (mariadb or faults or server):
        raise Malformed(
            "In virtual time there is SQLite, and no faults, at no server.", hint="--crash-daily crashes the server."
        )
    if server and mariadb:
        raise Malformed("A server that is there has its database.", hint="Leave out --mariadb.")


def _quieten() -> None:
    from farm.words.logs import configure

    configure("auto", "error")


def _drill(scenario: Scenario, folder: Path | None, *, mariadb: bool, json: bool) -> Account:
    from farm.simulator.ownsite import OwnSite

    with _place(folder) as place:
        site = OwnSite(place, scenario.faults, mariadb=mariadb, say=teller(json=json))
        return drilled(scenario, site, _again(), json=json)


def _week(plan: object, folder: Path | None, *, json: bool) -> Account:
    from farm.simulator.population import Plan
    from farm.simulator.report import SHOWN, day_row, of_week
    from farm.simulator.week import Week

    assert isinstance(plan, Plan)
    if not json:
        notice(" | ".join(("day", "frames", "failures", "waiting", "busy", "memory", "database", "CPU", *SHOWN)))
    with _place(folder) as place, frames_shown("Rendering", plan.frames, json=json) as tell:
        began = time.monotonic()

        def told(day: Day) -> None:
            left = (time.monotonic() - began) * (plan.days - day.number) / day.number
            notice(" | ".join([*day_row(day), f"{span(left)} left"]))

        week = Week(plan, place, (lambda _day: None) if json else told, tell)
        week.run()
    return of_week(plan, week.days, week.hours, week.witness.rendered, week.witness.violations, _again())


def _again() -> str:
    return shlex.join(["distren", *sys.argv[1:]])


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """Give a new folder, which is removed with all in it."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="distren-simulate-", dir=folder) as place:
        yield Path(place)


def _tell(account: Account, report: Path, *, json: bool) -> None:
    from farm.simulator.report import write

    page = write(account, report).resolve()
    if json:
        emit({"report": str(page), "violations": list(account.violations), "facts": dict(account.facts)})
    else:
        for name, value in account.facts.items():
            say(f"{name}: {value}")
        for sentence in account.violations:
            say(f"VIOLATED: {sentence}")
        say(f"{len(account.violations) or 'No'} violations. The report: {page}")
    if account.violations:
        raise typer.Exit(DistrenError.exit_code)
