"""`slaves` with its verbs, and `slave-key`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from farm.cli import errands
from farm.cli.connect import connect
from farm.cli.doubts import doubts
from farm.cli.lend import lend
from farm.cli.options import Json, Server
from farm.cli.output import ago, emit, facts, notice, say, size, styled, table
from farm.cli.pools import tag
from farm.cli.submitoptions import names
from farm.cli.upgrade import upgrade
from farm.client.lendcalls import LendCalls
from farm.protocol.slaves import Offer
from farm.protocol.slaveviews import Reliability, SlaveView
from farm.words.errors import Malformed

_TITLES = (
    *("slave", "owner", "state", "version", "slots", "machine"),
    *("renderers", "renders", "done", "reliable", "heard of"),
)

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode="markdown")
app.command("upgrade")(upgrade)
app.command("tag")(tag)
app.command("lend")(lend)
app.command("doubts")(doubts)
errands.add_to(app)


@app.callback()
def slaves(
    ctx: typer.Context,
    pause: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Give these slaves no new frames: ws01,ws02.")
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Pause these, and have them stop at once what they render."),
    ] = None,
    resume: Annotated[str | None, typer.Option(metavar="NAMES", help="Give these frames again.")] = None,
    retire: Annotated[str | None, typer.Option(metavar="NAMES", help="Void their keys for good.")] = None,
    server: Server = None,
    json: Json = False,
) -> None:
    """List the slaves of the farm; pause, stop, resume or retire some. Its verbs do more to them."""
    if ctx.invoked_subcommand:
        return
    if sum(name is not None for name in (pause, stop, resume, retire)) > 1:
        raise Malformed("Only one of --pause, --stop, --resume and --retire at a time.")
    with connect(server) as client:
        for some, action in (
            (pause, client.pause_slave),
            (stop, LendCalls(client).stop),
            (resume, client.resume_slave),
            (retire, client.retire_slave),
        ):
            for name in names(some or ""):
                action(name)
        found = client.slaves()
    if json:
        emit(found)
    else:
        _show(found)


def slave_key(
    name: Annotated[str, typer.Argument(help="The slave's name, e.g. ws07.")], server: Server = None, json: Json = False
) -> None:
    """Make the key and password of a new slave, or a new password for one of yours.

    The password is shown this once. Put both into the slave.conf of that machine.
    """
    with connect(server) as client:
        made = client.make_slave_key(name)
    if json:
        emit(made)
        return
    facts([("name", made.name), ("key", made.key), ("password", made.password)])
    notice("The password is shown this once. On the render machine, put this into slave.conf:")
    say(f'server = "{client.server}"\nkey = "{made.key}"\npassword = "{made.password}"')


def _show(found: list[SlaveView]) -> None:
    if not found:
        notice("No slaves yet. `distren slave-key NAME` makes the key of one.")
        return
    table(_TITLES, map(_row, found))
    for slave in found:
        remarks = slave.hardware.remarks if slave.hardware else ()
        for text in filter(
            None, (slave.message, _doubts(slave), _marks(slave), _upgrade(slave), _measuring(slave), *remarks)
        ):
            notice(f"{slave.name}: {text}")


def _doubts(slave: SlaveView) -> str:
    count = slave.reliability.doubted if slave.reliability else 0
    return f"{count} frames in doubt: others drew them otherwise. See `distren slaves doubts`." if count else ""


def _row(slave: SlaveView) -> list[str | Text]:
    hardware = slave.hardware
    machine = f"{hardware.cores} cores, {size(hardware.memory_bytes)}" if hardware else ""
    offers = ", ".join(map(_offer, slave.offers))
    seen = ago(slave.last_seen)
    renders = ", ".join(address.removeprefix("distren://").partition("/")[2] for address in slave.running)
    slots, done, reliable = str(slave.slots), str(slave.frames_done), _reliable(slave.reliability)
    who: list[str | Text] = [slave.name, slave.owner, styled(slave.state), slave.version, slots, machine]
    return [*who, offers, renders, done, reliable, seen]


def _marks(slave: SlaveView) -> str:
    tags = f"tags {', '.join(slave.tags)}" if slave.tags else ""
    return "; ".join(filter(None, (tags, f"pool {slave.pool}" if slave.pool else "")))


def _upgrade(slave: SlaveView) -> str:
    if slave.upgrade is None:
        return ""
    return slave.upgrade.message or f"upgrade to {slave.upgrade.version}: {slave.upgrade.stage}"


def _measuring(slave: SlaveView) -> str:
    one = slave.measuring
    if one is None:
        return ""
    return f"is being measured with {one.method}: {one.done} of {one.frames} frames, {one.progress:.0%}"


def _reliable(shown: Reliability | None) -> str:
    """Return how far a slave can be relied on, with what it is counted from."""
    return f"{shown.value:.2f} ({shown.good:g} good, {shown.bad:g} bad)" if shown else ""


def _offer(offer: Offer) -> str:
    return f"{offer.method} {offer.version}".strip()
