"""`register`, `login`, `logout`, `whoami`, `invite`."""

from __future__ import annotations

import platform
from typing import Annotated

import typer

from farm.cli.connect import address, client_settings, connect, saved_logins
from farm.cli.errors import report
from farm.cli.logins import Saved
from farm.cli.options import Json, PassphraseStdin, Server
from farm.cli.output import emit, facts, interactive, notice, say, size
from farm.cli.passphrase import ask_passphrase
from farm.protocol.accounts import LogIn, LoginGranted, MakeInvite, Register, Role
from farm.protocol.typed import message
from farm.words.errors import DistrenError, NotASetup, Unauthenticated

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Your name on the server; asked for if left out.")]


def register(
    name: Name = None,
    invite: Annotated[
        str, typer.Option("--invite", metavar="CODE", help="An admin's code, or a new server's setup code.")
    ] = "",
    server: Server = None,
    passphrase_stdin: PassphraseStdin = False,
    json: Json = False,
) -> None:
    """Make an account on a server, and log in.

    The first account of a new server becomes its admin: use the setup code that the
    server printed at its first start as --invite.
    """
    with connect(server, login=False) as client:
        who = _name(name)
        passphrase = ask_passphrase(from_stdin=passphrase_stdin, new=True)
        wish = message(Register, name=who, passphrase=passphrase, invite=invite, device=platform.node()[:200])
        keep(named(server), client.register(wish), as_json=json)


def login(
    name: Name = None, server: Server = None, passphrase_stdin: PassphraseStdin = False, json: Json = False
) -> None:
    """Log in to a server; later commands talk to it.

    The token is kept in your config folder, readable by you alone. It lasts 180 days
    from its last use.
    """
    with connect(server, login=False) as client:
        who = _name(name)
        passphrase = ask_passphrase(from_stdin=passphrase_stdin)
        wish = message(LogIn, name=who, passphrase=passphrase, device=platform.node()[:200])
        keep(named(server), client.login(wish), as_json=json)


def logout(server: Server = None, json: Json = False) -> None:
    """Log out of a server: its token is revoked there and forgotten here."""
    logins = saved_logins()
    url = address(client_settings(server), logins)
    if url not in logins.servers:
        raise NotASetup(f"You are not logged in to {url}.")
    try:
        with connect(url) as client:
            client.logout()
    except Unauthenticated:
        pass  # the token was void already
    except DistrenError as error:
        report(error)
        notice("The token is forgotten here, but it was not revoked on the server.")
    logins.remove(url)
    emit({"url": url}) if json else say(f"Logged out of {url}.")


def whoami(server: Server = None, json: Json = False) -> None:
    """Say which server and user the commands talk for."""
    with connect(server) as client:
        user, info = client.me(), client.server_info()
    if json:
        emit({"url": client.server, "server": info, "user": user})
        return
    quota = f" of {size(user.quota_bytes)}" if user.quota_bytes else ""
    facts(
        [
            ("user", f"{user.name} ({user.role})"),
            ("server", f"{info.name} at {client.server}, version {info.version}, profile {info.profile}"),
            ("stored", f"{size(user.stored_bytes)}{quota}"),
        ]
    )


def invite(
    uses: Annotated[int, typer.Option(min=1, max=1000, help="How many people may use the code.")] = 1,
    days: Annotated[float, typer.Option(help="Days until the code expires, at most 365.")] = 7,
    admin: Annotated[bool, typer.Option("--admin", help="Who uses the code becomes an admin.")] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Make an invite code for new users (admins). It is shown this once."""
    wish = message(MakeInvite, uses=uses, days=days, role=Role.ADMIN if admin else Role.USER)
    with connect(server) as client:
        made = client.make_invite(wish)
    if json:
        emit(made)
        return
    say(made.code)
    times = "once" if made.uses == 1 else f"{made.uses} times"
    notice(f"Good {times} until {made.expires:%Y-%m-%d %H:%M} UTC, for:")
    notice(f"  distren register --server {client.server} --invite {made.code}")


def named(server: str | None) -> str:
    """Return the address to keep: a server that was named by its name is looked for anew each time."""
    return address(client_settings(server), saved_logins())


def keep(url: str, granted: LoginGranted, *, as_json: bool) -> None:
    """Keep a login that a server granted, and say so."""
    saved_logins().add(url, Saved(name=granted.server, user=granted.user.name, token=granted.token))
    if as_json:
        emit({"url": url, "server": granted.server, "user": granted.user})
    else:
        say(f"Logged in to {granted.server} ({url}) as {granted.user.name} ({granted.user.role}).")


def _name(name: str | None) -> str:
    if name:
        return name
    if not interactive():
        raise NotASetup("The name can't be asked for: this is no terminal.", hint="Give it as an argument.")
    return str(typer.prompt("Name", err=True))
