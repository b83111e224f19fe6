"""`peers lend` and `peers borrow`: whose slaves render for whom."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.connect import connect
from farm.cli.options import Json, Server
from farm.cli.output import emit, say, table
from farm.cli.submitoptions import names
from farm.client.peercalls import PeerCalls
from farm.protocol.lending import Borrow, Lend, PeerAudit
from farm.words.hours import Hours

Peer = Annotated[str, typer.Argument(metavar="NAME", help="The other server's name.")]
Methods = Annotated[str, typer.Option(metavar="NAMES", help="Only these render methods: blender,povray.")]


def lend(
    name: Peer,
    slots: Annotated[int, typer.Option(min=1, max=100_000, help="The most slots at once.")] = 100_000,
    hours: Annotated[str, typer.Option(metavar="HOURS", help="Only then: mon-fri 18:00-08:00, sat-sun.")] = "",
    methods: Methods = "",
    idle_only: Annotated[
        bool, typer.Option("--idle-only", help="Only while no job here has anything left to render.")
    ] = False,
    gigabytes: Annotated[float, typer.Option(min=0, max=1e6, help="The most that travels in a day; 0: no limit.")] = 0,
    minutes: Annotated[
        float, typer.Option(min=0, max=1e9, help="Reference minutes that it may owe at most; 0: no limit.")
    ] = 0,
    stop: Annotated[bool, typer.Option("--stop", help="Lend it nothing more; what has begun is finished.")] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Let slaves of this server that have nothing to do render for another one (admins).

    Its admin has to borrow them: `distren peers borrow`. Jobs of this server come first.
    """
    Hours.parse(hours)
    volume = round(gigabytes * 1e9)
    wish = {"slots": slots, "hours": hours, "methods": names(methods), "idle_only": idle_only}
    terms = Lend.model_validate({**wish, "bytes_per_day": volume, "minutes": minutes})
    with connect(server) as client:
        PeerCalls(client).lend(name, None if stop else terms)
    if json:
        emit({"name": name, "lends": None if stop else terms.model_dump()})
    else:
        say(f"Slaves here render nothing more for {name}." if stop else f"Idle slaves here render for {name}.")


def borrow(
    name: Peer,
    methods: Methods = "",
    users: Annotated[str, typer.Option(metavar="NAMES", help="Only these users' jobs: ada,maya.")] = "",
    stop: Annotated[bool, typer.Option("--stop", help="Let its slaves begin nothing more here.")] = False,
    server: Server = None,
    json: Json = False,
) -> None:
    """Let idle slaves of another server render jobs of this one (admins).

    Its admin has to lend them: `distren peers lend`. They are shown among the slaves here, as
    `ws01@annex`. `distren submit --on annex` renders a job by them only.
    """
    terms = Borrow(methods=names(methods), users=names(users))
    with connect(server) as client:
        PeerCalls(client).borrow(name, None if stop else terms)
    if json:
        emit({"name": name, "borrows": None if stop else terms.model_dump()})
    else:
        say(f"Slaves of {name} begin nothing more here." if stop else f"Idle slaves of {name} render jobs here.")


def audit(name: Peer, server: Server = None, json: Json = False) -> None:
    """Compare this server's book with another's: frames lent and borrowed, and what is owed for them (admins).

    Ends with 1 if they don't agree.
    """
    with connect(server) as client:
        found = PeerCalls(client).audit(name)
    if json:
        emit(found)
    else:
        ours, theirs = found.ours, found.theirs
        rows = [
            (f"{name} owes", ours.lent_frames, ours.lent_milli - ours.lent_back, theirs.owed_milli - theirs.owed_back),
            ("this server owes", theirs.lent_frames, ours.owed_milli - ours.owed_back,
             theirs.lent_milli - theirs.lent_back),
        ]  # fmt: skip
        titles = ("", "frames", "minutes by our book", "by theirs")
        table(titles, ([who, str(n), f"{a / 1000:.3f}", f"{b / 1000:.3f}"] for who, n, a, b in rows))
        if back := ours.lent_back + ours.owed_back:
            say(f"Taken back for false pictures: {back / 1000:.3f} minutes.")
        say("Both books agree." if found.agree else _apart(found))
    if not found.agree:
        raise typer.Exit(1)


def _apart(found: PeerAudit) -> str:
    open_, forged = len(found.without_receipt), len(found.forged)
    return f"The books don't agree. Frames without a receipt: {open_}; with a wrong one: {forged}."
