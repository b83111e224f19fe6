"""The list of verbs: where each is, and its one line in `distren --help`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from farm.cli.errors import ends_well

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST, ACCOUNT, JOBS, MACHINES = "First steps", "Your account", "Jobs", "Machines"


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: its panel in the help, the module and function behind it, and what it does."""

    panel: str
    where: str
    help: str


VERBS: dict[str, Verb] = {
    "demo": Verb(FIRST, "demo:demo", "Render a real animation on a farm of this one machine."),
    "doctor": Verb(FIRST, "doctor:doctor", "Look for what is missing or wrong here, and say how to mend it."),
    "servers": Verb(ACCOUNT, "servers:servers", "Look for servers on the local network."),
    "register": Verb(ACCOUNT, "account:register", "Make an account on a server, and log in."),
    "login": Verb(ACCOUNT, "account:login", "Log in to a server; later commands talk to it."),
    "logout": Verb(ACCOUNT, "account:logout", "Log out of a server and forget its token."),
    "whoami": Verb(ACCOUNT, "account:whoami", "Say which server and user the commands talk for."),
    "invite": Verb(ACCOUNT, "account:invite", "Make an invite code for new users (admins)."),
    "passphrase": Verb(ACCOUNT, "users:passphrase", "Choose a new passphrase."),
    "recover": Verb(ACCOUNT, "users:recover", "Choose a new passphrase by an admin's code."),
    "users": Verb(ACCOUNT, "users:users", "List users; help one who forgot the passphrase; who did what (admins)."),
    "points": Verb(ACCOUNT, "points:app", "Show your points, and what you got and gave them for."),
    "submit": Verb(JOBS, "submit:submit", "Send a .blend, a POV-Ray scene or a package to the farm."),
    "pack": Verb(JOBS, "packages:pack", "Pack a job's folder into one file."),
    "unpack": Verb(JOBS, "packages:unpack", "Unpack a job's file into a folder."),
    "bake": Verb(JOBS, "bake:bake", "Bake what simulates in a .blend, here, before you send it."),
    "jobs": Verb(JOBS, "jobs:jobs", "List jobs, newest first."),
    "show": Verb(JOBS, "jobs:show", "Show a job (12) or a frame of it (12/3)."),
    "why": Verb(JOBS, "why:why", "Say why a job (12) or a frame (12/3) waits, or who got it and why."),
    "watch": Verb(JOBS, "watch:watch", "Follow a job, or the whole farm, as it happens."),
    "logs": Verb(JOBS, "jobs:logs", "Print the renderer's log of a frame."),
    "set": Verb(JOBS, "change:set_", "Change a job: priority=, frames+=, slaves+=, project= …"),
    "pause": Verb(JOBS, "control:pause", "Start no more frames of a job."),
    "resume": Verb(JOBS, "control:resume", "Go on with a paused job."),
    "approve": Verb(JOBS, "control:approve", "Say that a job's first frames look right, and render the rest."),
    "cancel": Verb(JOBS, "control:cancel", "End a job; what is rendered stays."),
    "retry": Verb(JOBS, "control:retry", "Render failed or canceled frames again, or the ones that you name."),
    "first": Verb(JOBS, "why:first", "Have a job rendered before all others (admins)."),
    "shares": Verb(
        JOBS, "shares:shares", "Show how the farm is shared: half-life, weights, limits; change it (admins)."
    ),
    "boost": Verb(JOBS, "points:boost", "Have a job of yours rendered sooner, for points."),
    "delete": Verb(JOBS, "control:delete", "Delete a job and its pictures on the server."),
    "fetch": Verb(JOBS, "fetch:fetch", "Bring a job's finished files home; only what is not here yet."),
    "server": Verb(MACHINES, "server:server", "Run a server."),
    "peers": Verb(MACHINES, "peers:app", "Exchange jobs with other servers: list, invite, accept, pause, end."),
    "backup": Verb(MACHINES, "backup:backup", "Back a server up while it works: database, files, keys."),
    "restore": Verb(MACHINES, "backup:restore", "Make a server from a backup."),
    "move": Verb(MACHINES, "move:move", "Take a stopped server to another database, folder or bucket."),
    "audit": Verb(MACHINES, "audit:audit", "Look for contradictions in a server's database."),
    "simulate": Verb(MACHINES, "simulate:simulate", "Try a farm of pretend slaves; see that nothing is lost."),
    "slave": Verb(MACHINES, "slave:slave", "Run a slave: render for a server on this machine."),
    "slaves": Verb(MACHINES, "slaves:app", "List the slaves of the farm; pause, lend, upgrade, test or restart them."),
    "pools": Verb(MACHINES, "pools:app", "List pools of slaves that are for some users alone; make them (admins)."),
    "join-code": Verb(MACHINES, "joincode:join_code", "Make a code by which machines join the farm (admins)."),
    "join": Verb(MACHINES, "join:join", "Make this machine a slave, by a code."),
    "rest": Verb(MACHINES, "rest:rest", "Have the slave of this machine rest for a while: 2h."),
    "benchmark": Verb(MACHINES, "benchmark:benchmark", "Measure a slave of yours, or show what it was measured at."),
    "friends": Verb(MACHINES, "friends:app", "Show or change whose jobs slaves that are lent to friends render."),
    "slave-key": Verb(MACHINES, "slaves:slave_key", "Make the key and password of a new slave."),
    "config": Verb(MACHINES, "config:app", "Show the settings in force, and where each comes from."),
}


def load(name: str) -> TyperCommand | TyperGroup:
    """Return the real command of a verb; imports the module behind it, and no other."""
    verb = VERBS[name]
    module, _, member = verb.where.partition(":")
    found: Any = getattr(importlib.import_module(f"farm.cli.{module}"), member)
    app = found if isinstance(found, typer.Typer) else _single(name, verb, found)
    command: Any = typer.main.get_command(app)
    command.name = name
    return command  # type: ignore[no-any-return]


def _single(name: str, verb: Verb, function: Callable[..., Any]) -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
    app.command(name, short_help=verb.help)(function)
    return app


class VerbGroup(TyperGroup):
    """`distren`: knows the verbs' names and lines; loads a verb when it is used."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        for name, verb in VERBS.items():
            self.commands[name] = TyperCommand(name, short_help=verb.help, rich_help_panel=verb.panel)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the verbs in the order of the help."""
        return list(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the verb that the command line names."""
        if args and args[0] in VERBS:
            self.commands[args[0]] = load(args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; what goes wrong ends as one line and an exit code."""
        with ends_well(ctx):
            return super().invoke(ctx)
