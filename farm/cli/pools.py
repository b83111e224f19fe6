"""`pools`, and `slaves tag`."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.connect import connect
from farm.cli.options import Json, Server
from farm.cli.output import emit, notice, say, table
from farm.cli.submitoptions import names
from farm.client.poolcalls import PoolCalls
from farm.protocol.pools import PoolView, PoolWish, SlaveTags
from farm.protocol.typed import message

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode="markdown")
Name = Annotated[str, typer.Argument(help="The pool's name, e.g. heavy.")]


@app.callback()
def pools(ctx: typer.Context, server: Server = None, json: Json = False) -> None:
    """List the pools: slaves that are for some users alone. Admins make, change and undo them."""
    if ctx.invoked_subcommand:
        return
    with connect(server) as client:
        found = PoolCalls(client).pools()
    emit(found) if json else _show(found)


@app.command("set")
def set_(
    name: Name,
    slaves: Annotated[str, typer.Option(metavar="NAMES", help="Its slaves: ws01,ws02; they leave other pools.")] = "",
    users: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Whose jobs its slaves render; without, only jobs that name the pool."),
    ] = "",
    server: Server = None,
    json: Json = False,
) -> None:
    """Make a pool, or make it another (admins). Its slaves render nothing else any more. It is on record."""
    wish = message(PoolWish, slaves=names(slaves), users=names(users))
    with connect(server) as client:
        PoolCalls(client).put(name, wish)
        found = PoolCalls(client).pools()
    emit(found) if json else _show(found)


@app.command()
def remove(name: Name, server: Server = None, json: Json = False) -> None:
    """Undo a pool: its slaves are for everybody again (admins). It is on record."""
    with connect(server) as client:
        PoolCalls(client).remove(name)
    emit({"removed": name}) if json else say(f"There is no pool {name} any more.")


def tag(
    slave: Annotated[str, typer.Argument(help="The slave's name.")],
    tags: Annotated[str, typer.Argument(help="Its tags: gpu,fast; '' takes all away that an admin gave it.")],
    server: Server = None,
    json: Json = False,
) -> None:
    """Give a slave tags that jobs may demand, beside its own from slave.conf (admins). It is on record."""
    wish = message(SlaveTags, tags=names(tags))
    with connect(server) as client:
        PoolCalls(client).tag(slave, wish.tags)
        found = next(one for one in client.slaves() if one.name == slave)
    emit(found) if json else say(f"{slave} has the tags {', '.join(found.tags) or 'none'}.")


def _show(found: list[PoolView]) -> None:
    if not found:
        notice("No pools: every slave is for everybody. `distren pools set NAME --slaves ws01` makes one.")
        return
    rows = ([one.name, ", ".join(one.slaves), ", ".join(one.users) or "who names it"] for one in found)
    table(("pool", "slaves", "for"), rows)
