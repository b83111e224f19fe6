"""`passphrase`, `recover`, `users`."""

from __future__ import annotations

import platform
from datetime import UTC
from typing import Annotated

import typer
from pydantic import ByteSize, TypeAdapter, ValidationError

from farm.cli.account import keep, named
from farm.cli.connect import connect
from farm.cli.options import Json, PassphraseStdin, Server
from farm.cli.output import ago, emit, interactive, notice, say, size, styled, table
from farm.cli.passphrase import ask_passphrase
from farm.client.usercalls import UserCalls
from farm.protocol.accounts import ChangePassphrase, Recover, UserView
from farm.protocol.typed import message
from farm.words.errors import Malformed, NotASetup


def passphrase(server: Server = None, json: Json = False) -> None:
    """Choose a new passphrase. All your other logins end; slaves go on."""
    if not interactive():
        raise NotASetup("Passphrases can't be asked for: this is no terminal.")
    with connect(server) as client:
        notice("The old one:")
        old = ask_passphrase(from_stdin=False)
        notice("The new one:")
        new = ask_passphrase(from_stdin=False, new=True)
        UserCalls(client).change_passphrase(message(ChangePassphrase, old=old, new=new))
        user = client.me()
    emit({"user": user}) if json else say("Your passphrase is new. Your other logins have ended.")


def recover(
    name: Annotated[str, typer.Argument(help="Your name on the server.")],
    code: Annotated[str, typer.Option("--code", help="The code that an admin made for you.")],
    server: Server = None,
    passphrase_stdin: PassphraseStdin = False,
    json: Json = False,
) -> None:
    """Choose a new passphrase by an admin's code, and log in. All earlier logins end."""
    with connect(server, login=False) as client:
        new = ask_passphrase(from_stdin=passphrase_stdin, new=True)
        wish = message(Recover, name=name, code=code, passphrase=new, device=platform.node()[:200])
        keep(named(server), UserCalls(client).recover(wish), as_json=json)


def users(
    recovery: Annotated[
        str | None, typer.Option(metavar="NAME", help="Make a code by which this user may choose a new passphrase.")
    ] = None,
    disable: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep this user and their slaves out; their jobs pause.")
    ] = None,
    enable: Annotated[str | None, typer.Option(metavar="NAME", help="Let this user in again.")] = None,
    quota: Annotated[
        str | None, typer.Option(metavar="NAME=SIZE", help="How much this user may keep stored, e.g. bea=500GB.")
    ] = None,
    deeds: Annotated[
        bool, typer.Option("--deeds", help="Show who did what to others' jobs, to accounts, keys, and the farm.")
    ] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """List the server's users; help one who forgot the passphrase, or keep one out (admins)."""
    if sum(bool(one) for one in (recovery, disable, enable, quota, deeds)) > 1:
        raise Malformed("Only one of --recovery, --disable, --enable, --quota and --deeds at a time.")
    with connect(server) as client:
        calls = UserCalls(client)
        if recovery:
            _recovery(calls, recovery, client.server, as_json=json)
        elif deeds:
            _deeds(calls, as_json=json)
        else:
            if quota:
                calls.set_quota(*_quota(quota))
            elif name := disable or enable:
                calls.set_disabled(name, disabled=bool(disable))
            found = calls.users()
            emit(found) if json else _list(found)


def _quota(text: str) -> tuple[str, int]:
    name, _, said = text.partition("=")
    try:
        return name, TypeAdapter(ByteSize).validate_python(said.strip())
    except ValidationError as error:
        raise Malformed(f"“{said}” is no number of bytes.", hint="For example bea=500GB.") from error


def _recovery(calls: UserCalls, name: str, url: str, *, as_json: bool) -> None:
    made = calls.make_recovery(name)
    if as_json:
        emit(made)
        return
    say(made.code)
    notice(f"Good once until {made.expires:%Y-%m-%d %H:%M} UTC, for:")
    notice(f"  distren recover {made.user} --server {url} --code {made.code}")


def _deeds(calls: UserCalls, *, as_json: bool) -> None:
    found = calls.deeds()
    if as_json:
        emit(found)
        return
    when = [one.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") for one in found]
    rows = [[at, d.user, d.verb, str(d.job or ""), d.detail] for at, d in zip(when, found, strict=True)]
    table(("time", "user", "deed", "job", "detail"), rows)


def _list(found: list[UserView]) -> None:
    rows = (
        [
            user.name,
            user.role.value,
            styled("disabled" if user.disabled else "ok"),
            ago(user.created),
            size(user.stored_bytes),
            size(user.quota_bytes),
        ]
        for user in found
    )
    table(("user", "role", "standing", "since", "sent", "quota"), rows, right=("sent", "quota"))
