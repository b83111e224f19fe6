"""`points`, `boost`."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from blender_addon.boosts import amount, told
from farm.cli.connect import Target, connect
from farm.cli.options import Job, Json, Server, Yes
from farm.cli.output import emit, facts, interactive, notice, say, span, table
from farm.client.pointcalls import PointCalls
from farm.protocol.points import BookView, Boost, BoostView, LedgerRow, PointsView
from farm.words.errors import DistrenError, NotASetup

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")

Whose = Annotated[str, typer.Option("--user", metavar="NAME", help="Another user's (admins).")]


@app.callback(invoke_without_command=True)
def points(
    ctx: typer.Context,
    user: Whose = "",
    last: Annotated[int, typer.Option(min=0, max=1000, help="How many rows of the ledger are shown.")] = 10,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the whole ledger into a file, for spreadsheets.")
    ] = None,
    server: Server = None,
    json: Json = False,
) -> None:
    """Show your points, and what you got and gave them for."""
    if ctx.invoked_subcommand:
        return
    with connect(server) as client:
        calls = PointCalls(client)
        if csv is not None:
            csv.write_text(calls.ledger_csv(user), encoding="utf-8")
        view = calls.points(user)
        page = calls.ledger(user, limit=last) if last else None
    if json:
        emit({"points": view, "ledger": page.rows if page else []})
        return
    shown = (("points", view.milli), ("ever earned", view.earned_milli), ("in escrows", view.escrow_milli))
    facts([("user", view.user), *((name, amount(milli)) for name, milli in shown), *_closed(view)])
    if view.provisional_milli:
        notice(f"{amount(view.provisional_milli)} of them can't be spent yet: a slave that earned them is in doubt.")
    if page and page.rows:
        table(("time", "points", "kind", "for", "slave", "reason"), map(_row, page.rows), right=("points",))


@app.command("audit")
def audit(server: Server = None, json: Json = False) -> None:
    """Recompute the whole ledger, and say what does not add up (admins). Exit code 1 if anything doesn't."""
    with connect(server) as client:
        found = PointCalls(client).audit_points()
    if json:
        emit(found)
    else:
        for sentence in found.faults or ["Every row of the ledger adds up."]:
            say(sentence)
    if found.faults:
        raise typer.Exit(DistrenError.exit_code)


@app.command("books")
def books(server: Server = None, json: Json = False) -> None:
    """List the closed books of the ledger, and under which hash their archives are stored (admins)."""
    with connect(server) as client:
        found = PointCalls(client).books()
    if json:
        emit(found)
    elif found:
        titles = ("book", "rows", "from", "to", "bytes", "archive")
        table(titles, map(_book, found), right=("book", "rows", "bytes"))
    else:
        say("No book of the ledger is closed.")


def boost(
    job: Job,
    points: Annotated[int, typer.Option("--points", help="Points that the job may use; 0 ends its boost.")],
    boost: Annotated[int, typer.Option("--boost", min=1, max=15, help="How much sooner: 1 is twice its share.")] = 1,
    server: Server = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Have a job of yours rendered sooner, for points.

    Each frame burns its worth times --boost, of which most goes to who renders it. What is left when the job ends
    returns to you. Says first what it will cost, and how much sooner the job will be done.
    """
    wish = Boost(points=points, boost=boost)
    target = Target.of_job(job, server)
    with target.client as client:
        if not yes and points:
            _ask(PointCalls(client).preview_boost(target.job, wish))
        view = PointCalls(client).boost(target.job, wish)
    if json:
        emit(view)
    elif points:
        say(f"Job {view.job} “{view.name}” is boosted by {view.boost}.")
    else:
        say(f"Job {view.job} “{view.name}” is not boosted any more; what was left of its points is yours again.")


def _closed(view: PointsView) -> list[tuple[str, str]]:
    if not view.closed_rows:
        return []
    return [("carried forward", f"{amount(view.closed_milli)} by {view.closed_rows} rows of closed books")]


def _book(book: BookView) -> list[str]:
    days = [at.astimezone(UTC).strftime("%Y-%m-%d") for at in (book.first, book.last)]
    return [str(book.book), f"{book.rows:,}", *days, f"{book.bytes:,}", book.sha256]


def _row(row: LedgerRow) -> list[str]:
    when = row.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    place = row.address.removeprefix("distren://").partition("/")[2]
    return [when, amount(row.milli), row.kind, place, row.slave or "", row.reason]


def _ask(view: BoostView) -> None:
    notice(told(view.model_dump(), span))
    if not interactive():
        raise NotASetup("Spending points wants a yes.", hint="Say --yes if you mean it.")
    if not typer.confirm("Do it?", err=True):
        notice("Nothing was spent.")
        raise typer.Exit(1)
