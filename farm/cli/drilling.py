"""A simulation over HTTP, as the command line shows it: at a server of its own, or at one that is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from farm.cli.connect import client_settings, connect
from farm.cli.interruption import terminated_like_interrupted
from farm.cli.output import frame_progress, interactive, notice, span
from farm.words.errors import NotASetup

if TYPE_CHECKING:
    from farm.simulator.drill import Scenario
    from farm.simulator.report import Account
    from farm.simulator.site import Site


def drilled(scenario: Scenario, site: Site, again: str, *, json: bool) -> Account:
    """Let it happen, and return the report.

    Args:
        scenario: what happens.
        site: where.
        again: the command that does the same.
        json: nothing is told meanwhile.
    """
    from farm.simulator.drill import Drill
    from farm.simulator.report import of_drill

    with terminated_like_interrupted(), frames_shown("Rendering", scenario.total, json=json) as progress:
        drill = Drill(scenario, site, progress, teller(json=json))
        drill.run()
    return of_drill(drill, again)


def at_server(scenario: Scenario, server: str, again: str, *, yes: bool, json: bool) -> Account:
    """Let it happen at a server that is there, if the person agrees.

    Raises:
        NotASetup: they can't be asked, or there is no login.
    """
    from farm.simulator.lentsite import LentSite

    with connect(server) as admin:
        certificate = client_settings(server).certificate
        site = LentSite(admin, str(certificate) if certificate else True, scenario.faults, teller(json=json))
        if not yes:
            _ask(scenario, site.where, site.pool)
        return drilled(scenario, site, again, json=json)


def _ask(scenario: Scenario, where: str, name: str) -> None:
    jobs = scenario.users * scenario.jobs * scenario.waves
    plan = (
        f"At {where} this makes {scenario.users} users (“{name}-1” and so on), {scenario.slaves:,} pretend slaves and "
        f"the pool “{name}”, and sends {jobs:,} jobs with {scenario.total:,} frames. No other slave renders them, and "
        "these slaves render nothing else; but they are work for that server, its database and its storage. Afterwards "
        "jobs, slaves and pool are removed; the users stay, kept out."
    )
    if not interactive():
        raise NotASetup(f"{plan} That wants a yes.", hint="Say --yes if you mean it.")
    if not typer.confirm(f"{plan} Go on?", err=True):
        notice("Nothing was done.")
        raise typer.Exit(1)


def teller(*, json: bool) -> Callable[[str], None]:
    """Return what tells a person a sentence, unless they want JSON."""
    return (lambda _sentence: None) if json else notice


@contextmanager
def frames_shown(what: str, total: int, *, json: bool) -> Iterator[Callable[[int], None]]:
    """Show how many frames are done; give who is told."""
    began = time.monotonic()
    with frame_progress(quiet=json) as shown:
        bar = shown.add_task(what, total=total, note="")

        def tell(done: int) -> None:
            passed = time.monotonic() - began
            left = f"{span(passed * (total - done) / done)} left" if done else ""
            shown.update(bar, completed=done, note=left)

        yield tell
