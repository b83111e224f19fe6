"""`doctor`: look for what is missing or wrong here, and say how to mend it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from farm import __version__
from farm.cli import findings
from farm.cli.connect import client_settings, connect
from farm.cli.findings import Finding, Grade
from farm.cli.options import Config, Data, DatabaseUrl, Json, Server
from farm.cli.output import emit, stdout, styled, table
from farm.cli.renderers import found_blenders
from farm.cli.repair import repair
from farm.client.doubtcalls import DoubtCalls
from farm.client.farmclient import FarmClient
from farm.methods.base import Offered
from farm.protocol.accounts import Role
from farm.slave.devices import in_use
from farm.words.errors import DistrenError, NotASetup, Unauthenticated
from farm.words.settings import ClientSettings, ServerSettings, load

SKEW = 30.0
"""Seconds that clocks may differ before times in lists and logs become misleading."""


def doctor(
    server: Server = None,
    mend: Annotated[bool, typer.Option("--repair", help="Put a stopped server's database and files right.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --repair: do it. Else it is only rehearsed.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="With --repair: read all stored files, too.")] = False,
    backup: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="With --repair: backups that have lost files.")
    ] = None,
    data: Data = None,
    database: DatabaseUrl = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Look for what is missing or wrong here, and say how to mend it.

    Exit code 8 if something is broken; warnings do not count. With --repair it is about a server's data, on its machine
    and with its settings, and exit code 1 means that something is left to do.
    """
    if mend:
        repair(load(ServerSettings, config, data=data, database=database), act=yes, deep=deep, backup=backup, json=json)
        return
    settings = client_settings(server)
    found = list(_all(settings, server))
    if json:
        emit(found)
    else:
        rows: list[list[str | Text]] = [[styled(f.grade), f.topic, _told(f)] for f in found]
        table(("", "what", "finding"), rows)
        worst = sum(f.grade == Grade.FAIL for f in found), sum(f.grade == Grade.WARN for f in found)
        stdout().print(f"{worst[0]} broken, {worst[1]} to know about.")
    if any(f.grade == Grade.FAIL for f in found):
        raise typer.Exit(NotASetup.exit_code)


def _all(settings: ClientSettings, server: str | None) -> Iterator[Finding]:
    yield from findings.python()
    yield from findings.packages()
    yield from _blenders(settings)
    yield from findings.programs()
    yield from findings.sqlite()
    yield from findings.disks()
    yield from findings.logins(settings)
    yield from _server(server)


def _told(finding: Finding) -> Text:
    text = Text(finding.message)
    return text.append(f"\n→ {finding.mend}", style="italic") if finding.mend else text


def _blenders(settings: ClientSettings) -> Iterator[Finding]:
    try:
        found = found_blenders(settings, cards=True)
    except DistrenError as error:
        yield Finding(topic="blender", grade=Grade.FAIL, message=error.message, mend=error.hint)
        return
    if not found:
        text = "No Blender was found: .blend files can be neither read nor rendered here."
        mend = "install Blender, or let `distren demo` install bpy, or name it: DISTREN_BLENDER=/path/to/blender"
        yield Finding(topic="blender", grade=Grade.WARN, message=text, mend=mend)
    for one in found:
        offer = one.offer
        text = f"Blender {offer.version} ({one.launcher.program}): {', '.join(offer.engines)}"
        draws = any(engine.startswith(("BLENDER_EEVEE", "BLENDER_WORKBENCH")) for engine in offer.engines)
        mend = "" if draws else "for EEVEE and Workbench install GL (Debian: libegl1 libegl-mesa0 libgl1-mesa-dri)"
        yield Finding(topic="blender", grade=Grade.OK if draws else Grade.WARN, message=text, mend=mend)
        yield from _devices(one)


def _devices(one: Offered) -> Iterator[Finding]:
    """Say what one Blender renders on, and what does not work."""
    version = one.offer.version
    for number, card in enumerate(in_use([one])):
        ways = ", ".join(way.kind for way in one.cards if way.card == card.card)
        text = f"Blender {version}: graphics card {number} {card.name} ({card.card}) by {ways}"
        yield Finding(topic="device", grade=Grade.OK, message=text)
    if one.offer.software:
        text = f"Blender {version} draws {', '.join(one.offer.software)} on the processor: right, but slow"
        mend = "a slave does so only while no slave with a graphics card is alive"
        yield Finding(topic="device", grade=Grade.OK, message=text, mend=mend)
    for reason in one.offer.cannot:
        yield Finding(topic="device", grade=Grade.WARN, message=f"Blender {version} does not offer {reason}")


def _server(server: str | None) -> Iterator[Finding]:
    try:
        with connect(server, login=False) as client:
            yield from _reached(client)
            yield from _login(client)
    except NotASetup as error:
        yield Finding(topic="server", grade=Grade.WARN, message=error.message, mend=error.hint)
    except DistrenError as error:
        yield Finding(topic="server", grade=Grade.FAIL, message=error.message, mend=error.hint)


def _reached(client: FarmClient) -> Iterator[Finding]:
    start = time.monotonic()
    info = client.server_info()
    took = time.monotonic() - start
    text = f"{info.name} at {client.server}, version {info.version}, profile {info.profile}, {took * 1000:.0f} ms away"
    same = info.version.split(".")[:2] == __version__.split(".")[:2]
    mend = "" if same else f"this is version {__version__}: bring both to the same"
    yield Finding(topic="server", grade=Grade.OK if same else Grade.WARN, message=text, mend=mend)
    theirs = client.server_time()
    if theirs is not None:
        skew = theirs.timestamp() - time.time()
        fine = abs(skew) < SKEW
        text = f"the server's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this one"
        mend = "" if fine else "set both clocks by NTP"
        yield Finding(topic="clock", grade=Grade.OK if fine else Grade.WARN, message=text, mend=mend)


def _login(client: FarmClient) -> Iterator[Finding]:
    try:
        user = client.me()
    except Unauthenticated as error:
        mend = f"distren login --server {client.server}"
        yield Finding(topic="login", grade=Grade.WARN, message=error.message, mend=mend)
        return
    yield Finding(topic="login", grade=Grade.OK, message=f"{user.name} ({user.role})")
    if user.role is Role.ADMIN:
        yield from _doubts(client)


def _doubts(client: FarmClient) -> Iterator[Finding]:
    """Say which slaves drew frames otherwise than others, so that an admin has to judge."""
    for slave, count in sorted(Counter(one.slave for one in DoubtCalls(client).doubts()).items()):
        text = f"slave {slave} drew {count} frames otherwise than others, and it is not known who is right"
        mend = (
            f"look at {client.server}/slaves/{slave}#doubts, then: distren slaves doubts --trust or --convict {slave}"
        )
        yield Finding(topic="doubt", grade=Grade.WARN, message=text, mend=mend)
