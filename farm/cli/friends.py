"""`friends`: for whom slaves that are lent to friends render."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from farm.cli.connect import connect
from farm.cli.options import Json, Server
from farm.cli.output import emit, notice, say
from farm.client.lendcalls import LendCalls
from farm.protocol.terms import FriendsView, MakeFriend
from farm.words.errors import Malformed

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode="markdown")
_Name = Annotated[str, typer.Argument(help="A user's name.")]


@app.callback()
def friends(ctx: typer.Context, server: Server = None, json: Json = False) -> None:
    """Show whom you count as friends: slaves of yours with `accept = friends` render their jobs, too."""
    if ctx.invoked_subcommand is None:
        with connect(server) as client:
            _show(LendCalls(client).friends(), as_json=json)


@app.command("add")
def add(name: _Name, server: Server = None, json: Json = False) -> None:
    """Count a user as a friend."""
    try:
        wish = MakeFriend(name=name)
    except ValidationError as error:
        raise Malformed(f"“{name}” is no user's name.") from error
    with connect(server) as client:
        _show(LendCalls(client).befriend(wish.name), as_json=json)


@app.command("remove")
def remove(name: _Name, server: Server = None, json: Json = False) -> None:
    """Count a user as a friend no more; what renders for them is finished."""
    with connect(server) as client:
        LendCalls(client).part(name)
        _show(LendCalls(client).friends(), as_json=json)


@app.command("list")
def listed(server: Server = None, json: Json = False) -> None:
    """Show whom you count as friends."""
    with connect(server) as client:
        _show(LendCalls(client).friends(), as_json=json)


def _show(found: FriendsView, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    for name in found.friends:
        say(name)
    if not found.friends:
        notice("You count nobody as a friend yet. `distren friends add NAME` does.")
    if found.of:
        notice(f"You are counted as a friend by {', '.join(found.of)}.")
