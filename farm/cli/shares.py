"""`shares`: how the farm is shared."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.connect import connect
from farm.cli.options import Json, Server
from farm.cli.output import emit, facts, table
from farm.client.sharecalls import ShareCalls
from farm.protocol.shares import SharesView, ShareTerms, UserShareWish
from farm.protocol.typed import message
from farm.words.errors import Malformed


def shares(
    half_life: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="Work counts half after so long (admins); at first 60.")
    ] = None,
    points_weight: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="What ten times as many points add to a weight (admins); at first 0.5."),
    ] = None,
    unserved: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="Who waits so long is next (admins); at first 10.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose --weight and --slots these are (admins).")
    ] = None,
    weight: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="2: twice as much of the farm as others; at first 1.")
    ] = None,
    slots: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="The most that their jobs may hold; 0: as many as others.")
    ] = None,
    server: Server = None,
    json: Json = False,
) -> None:
    """Show on what terms the farm is shared; admins may change them. It is on record."""
    if (user is None) != (weight is None and slots is None):
        raise Malformed("--weight and --slots are of a user: name one with --user, and say which.")
    terms = message(ShareTerms, half_life_minutes=half_life, points_weight=points_weight, unserved_minutes=unserved)
    wish = message(UserShareWish, weight=weight, slots=slots)
    with connect(server) as client:
        calls = ShareCalls(client)
        if terms.model_dump(exclude_none=True):
            calls.change(terms)
        if user is not None:
            calls.change_user(user, wish)
        found = calls.shares()
    emit(found) if json else _show(found)


def _show(found: SharesView) -> None:
    facts(
        [
            ("half-life", f"{found.half_life_minutes:g} minutes{_to_come(found)}"),
            ("points' weight", f"{found.points_weight:g}"),
            ("unserved", f"{found.unserved_minutes:g} minutes"),
        ]
    )
    if found.users:
        slots = (str(one.slots or "") for one in found.users)
        rows = ([one.name, f"{one.weight:g}", f"{one.points:g}", s] for one, s in zip(found.users, slots, strict=True))
        table(("user", "weight", "by points", "slots at most"), rows)


def _to_come(found: SharesView) -> str:
    if found.next_half_life_minutes is None or found.next_from is None:
        return ""
    return f"; {found.next_half_life_minutes:g} from {found.next_from:%Y-%m-%d %H:%M} UTC on"
