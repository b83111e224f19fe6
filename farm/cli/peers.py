"""`peers`: the servers that this one exchanges jobs with."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from farm.cli import peerlending
from farm.cli.connect import confirmed, connect, tidy
from farm.cli.options import Json, Server, Yes
from farm.cli.output import ago, emit, notice, say, styled, table
from farm.client.peercalls import PeerCalls
from farm.protocol.peers import AcceptPeer, MakePeerInvite, PeerState, PeerView, Rotate
from farm.words.names import server_name

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode="markdown")

Peer = Annotated[str, typer.Argument(metavar="NAME", help="The other server's name.")]
Address = Annotated[
    str | None,
    typer.Option(metavar="URL", help="This server as the other one reaches it; usually the server knows (public_url)."),
]
SeesAll = Annotated[
    bool, typer.Option("--sees-all", help="Users of the other server see all jobs of this one, not only their own.")
]


@app.callback()
def peers(ctx: typer.Context, server: Server = None, json: Json = False) -> None:
    """List the servers that this one exchanges jobs with: up or down since when, and what went wrong last."""
    if ctx.invoked_subcommand:
        return
    with connect(server) as client:
        found = PeerCalls(client).peers()
    if json:
        emit(found)
    elif not found:
        notice("This server knows no others. `distren peers invite NAME` begins it.")
    else:
        _show(found)


@app.command("invite")
def invite(
    name: Peer,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 31, help="Hours until the code expires.")] = 24,
    address: Address = None,
    sees_all: SeesAll = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Make a code for the admin of another server, by which it becomes a peer (admins). It is shown this once.

    Give it to them on a way that you trust. They say `distren peers accept CODE`. Only the
    server of that name can use it, once.
    """
    wish = MakePeerInvite(
        name=server_name(name), hours=hours, address=tidy(address) if address else None, sees_all=sees_all
    )
    with connect(server) as client:
        made = PeerCalls(client).invite(wish)
    if json:
        emit(made)
        return
    say(made.code)
    notice(f"Good for {made.name} until {made.expires:%Y-%m-%d %H:%M} UTC. Its admin says there:")
    notice(f"  distren peers accept {made.code}")


@app.command("accept")
def accept(
    code: Annotated[str, typer.Argument(metavar="CODE", help="From `distren peers invite`, of the other admin.")],
    address: Address = None,
    sees_all: SeesAll = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Become a peer of the server whose admin made a code (admins).

    From then on users of either may submit jobs to the other, and see, control and fetch them.
    """
    wish = AcceptPeer.model_validate(
        {"code": code, "address": tidy(address) if address else None, "sees_all": sees_all}
    )
    with connect(server) as client:
        made = PeerCalls(client).accept(wish)
    if json:
        emit(made)
    else:
        say(f"{made.name} is a peer now. Try it: distren jobs --server {made.name}")


@app.command("pause")
def pause(name: Peer, server: Server = None, json: Json = False) -> None:
    """Let nothing of a peer in, and ask it nothing, for a while (admins). What renders goes on."""
    with connect(server) as client:
        PeerCalls(client).pause(name)
    emit({"name": name, "state": PeerState.PAUSED}) if json else say(f"The exchange with {name} is paused.")


@app.command("resume")
def resume(name: Peer, server: Server = None, json: Json = False) -> None:
    """Exchange jobs again with a paused peer (admins)."""
    with connect(server) as client:
        PeerCalls(client).resume(name)
    emit({"name": name, "state": PeerState.ACTIVE}) if json else say(f"{name} is a peer again.")


app.command("lend")(peerlending.lend)
app.command("borrow")(peerlending.borrow)
app.command("audit")(peerlending.audit)


@app.command("end")
def end(name: Peer, yes: Yes = False, server: Server = None, json: Json = False) -> None:
    """End the exchange with a peer (admins). You are asked first if jobs of its users have not ended here."""
    with connect(server) as client:
        confirmed(lambda agreed: PeerCalls(client).end(name, confirmed=agreed), yes=yes)
    emit({"name": name, "state": PeerState.ENDED}) if json else say(f"The exchange with {name} has ended.")


@app.command("rotate")
def rotate(
    revoke: Annotated[
        bool, typer.Option("--revoke", help="The old keys may be in other hands: throw them away at once.")
    ] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Make new keys for the server, and tell its peers (admins).

    Peers that are away are told when they are back. With --revoke they are not: agree with
    them anew (`distren peers end`, then `invite`).
    """
    with connect(server) as client:
        done = PeerCalls(client).rotate(Rotate(revoke=revoke))
    if json:
        emit(done)
        return
    say(f"New keys, fingerprint {done.fingerprint[:16]}…; told: {', '.join(done.told) or 'nobody'}.")
    for name, reason in done.untold.items():
        notice(f"{name} was not told: {reason}")


def _show(found: list[PeerView]) -> None:
    titles = ("server", "state", "up", "latency", "lent", "borrowed", "balance", "version", "address", "last error")
    table(titles, map(_row, found), right=("latency", "balance"))
    for peer in found:
        if peer.keeps:
            notice(f"Nothing more is lent to {peer.name} just now: {peer.keeps}")
        if peer.probes:
            notice(f"A minute that {peer.name} signs for is worth {peer.rate:.2f} of this server's.")


def _row(peer: PeerView) -> list[str | Text]:
    latency = f"{peer.latency_seconds * 1000:.0f} ms" if peer.latency_seconds is not None else ""
    up = f"down since {ago(peer.away)}" if peer.away else f"up, {ago(peer.seen)}" if peer.seen else ""
    error = f"{ago(peer.erred)}: {peer.error}" if peer.error else ""
    lent = _traded(peer.lends is not None, peer.lent_frames, peer.lent_now)
    borrowed = _traded(peer.borrows is not None, peer.borrowed_frames, peer.borrowed_now)
    balance = f"{peer.balance:+.1f} min" if peer.balance else ""
    return [peer.name, styled(peer.state), up, latency, lent, borrowed, balance, peer.version, peer.address, error]


def _traded(agreed: bool, frames: int, now: int) -> str:
    """Return how much was rendered by one server for the other, and is now; a dash where nothing is agreed."""
    rendering = f", {now} now" if now else ""
    return f"{frames} frames{rendering}" if agreed or frames or now else "–"
