"""`join`: make this machine a slave, by a code."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from farm.cli import service
from farm.cli.options import Json
from farm.cli.output import emit, notice, say
from farm.cli.service import Service
from farm.cli.trust import trusted_client
from farm.protocol.joining import Join, Joined
from farm.words import settingsfile
from farm.words.errors import Conflict, DistrenError, NotASetup
from farm.words.folders import config_file
from farm.words.joincode import JoinCode
from farm.words.logs import configure
from farm.words.settings import SlaveSettings, load

SLAVE = "distren-slave"


def join(
    code: Annotated[str, typer.Argument(metavar="CODE", help="From `distren join-code`, on the admin's machine.")],
    name: Annotated[str | None, typer.Option(help="The slave's name; usually the machine's.")] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The settings file to write; usually slave.conf of this user.")
    ] = None,
    provision: Annotated[
        bool, typer.Option("--provision", help="Install Blender (bpy) where there is none, and what jobs need later.")
    ] = False,
    as_service: Annotated[
        bool, typer.Option("--service/--no-service", help="Start the slave with the machine, and now.")
    ] = True,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Render a test frame.")] = True,
    upgrade: Annotated[
        bool, typer.Option("--upgrade/--no-upgrade", help="Let the server bring this machine up to date later.")
    ] = True,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A certificate to trust (PEM), if this machine does not know who made the server's."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Join although this machine has joined a server before.")
    ] = False,
    json: Json = False,
) -> None:
    """Make this machine a slave: key, settings, renderers, service, and a test frame.

    Nothing is sent to any server but the one that the code names; if it has a
    certificate of its own, it must be the very one that the code knows.
    """
    configure("human", "error")
    parsed, file = JoinCode.parse(code), config or config_file(SlaveSettings.file_name)
    _must_be_new(file, again=again)
    renderers = _renderers(file, provision=provision)
    wanted: dict[str, settingsfile.Value] = {"upgrade": upgrade, **({"provision": True} if provision else {})}
    joined = _join(parsed, file, name or machine_name(), wanted, certificate)
    notice(f"Joined {joined.server} as {joined.name}, a slave of {joined.owner}'s. Settings are in {file}.")
    renderers = renderers or _installed(file)
    frames = _tested(file) if test else []
    how = _served(file) if as_service else None
    if json:
        facts: dict[str, Any] = {"slave": joined.name, "server": joined.server, "owner": joined.owner}
        started = how is not None and how[1]
        shown = {"service": str(how[0].file) if how else None, "started": started}
        emit({**facts, "config": str(file), "renderers": renderers, "test_frames": frames, **shown})
        return
    _told(joined, renderers, frames, how, file)


def machine_name() -> str:
    """Return this machine's name as a slave's: letters and digits, inside it also `-`."""
    name = re.sub(r"[^a-z0-9-]+", "-", platform.node().split(".")[0].lower()).strip("-")[:28].strip("-")
    return name or "slave"


def _must_be_new(file: Path, *, again: bool) -> None:
    known = settingsfile.read(file)
    if known.get("key") and not again:
        raise Conflict(
            f"This machine is a slave of {known.get('server', 'a server')} already, says {file}.",
            hint="Say --again to have it join anew, or name another file with --config.",
        )


def _renderers(file: Path, *, provision: bool) -> list[str]:
    """Return the renderers here, before a machine without any uses up the code.

    Raises:
        NotASetup: there is none, and none can be installed.
    """
    from farm.slave.renderers import probe

    settings = _load(file)
    try:
        found = probe(settings, settings.state / "renderers.json")
    except NotASetup as error:
        if not provision:
            raise NotASetup(
                error.message, hint=f"{error.hint} Or say --provision: Blender is installed then."
            ) from error
        return []
    return [f"{one.offer.method} {one.offer.version}" for one in found]


def _installed(file: Path) -> list[str]:
    """Install Blender where the slave looks for it, and return what that is."""
    from farm.methods.blender.provision import provision
    from farm.slave.folders import Folders

    folders = Folders.of(_load(file))
    folders.installed.mkdir(parents=True, exist_ok=True)
    offer = provision(folders.installed, notice, folders.known).offer
    return [f"{offer.method} {offer.version}"]


def _join(code: JoinCode, file: Path, name: str, wanted: dict[str, settingsfile.Value], given: Path | None) -> Joined:
    """Join, and write down what came of it before anything else can go wrong."""
    kept = file.with_name(f"{file.stem}.pem")
    with trusted_client(code.address, code.fingerprint, kept, given) as (client, certificate):
        joined = client.join(Join(secret=SecretStr(code.secret), name=name))
        values = {**wanted, "server": code.address, "key": joined.key, "password": joined.password}
    if certificate:
        values["certificate"] = str(certificate.absolute())
    settingsfile.update(file, values)
    return joined


def _load(file: Path) -> SlaveSettings:
    """Return what this machine's slave runs with; the file may not be there yet."""
    return load(SlaveSettings, file if file.exists() else None)


def _tested(file: Path) -> list[str]:
    """Render a test frame.

    Raises:
        DistrenError: it failed; the machine has joined, but no service is made.
    """
    from farm.slave.testframe import rendered

    notice("Rendering a test frame …")
    try:
        return [str(frame) for frame in rendered(_load(file))]
    except DistrenError as error:
        hint = f"{error.hint} This machine has joined, but nothing renders here yet; `distren doctor` looks closer."
        raise NotASetup(f"The test frame failed: {error.message}", hint=hint.strip()) from error


def _served(file: Path) -> tuple[service.Plan, bool]:
    argv = [sys.executable, "-m", "farm.cli.main", "slave", "--config", str(file.absolute())]
    return service.install(Service(SLAVE, "DistRen slave: renders for a farm", argv))


def _told(
    joined: Joined, renderers: list[str], frames: list[str], how: tuple[service.Plan, bool] | None, file: Path
) -> None:
    say(f"This machine is {joined.name}, a slave of {joined.server}.")
    say(f"  renderers: {', '.join(renderers)}")
    for frame in frames:
        say(f"  test frame: {frame}")
    if how is None or not how[1]:
        note = f", described in {how[0].file} for a system that is not running here" if how else ""
        say(f"  service: none{note}. Start it: distren slave --config {file}")
    else:
        say(f"  service: {how[0].file}, started. Look at it: {how[0].look}")
