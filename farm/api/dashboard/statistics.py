"""`/statistics`: who and what rendered how much; as a table for spreadsheets, too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from functools import partial

from fastapi import APIRouter, Request, Response

from farm.accounts.formula import points
from farm.accounts.leaders import leaders
from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import asker
from farm.jobs.statistics import Group, Total, totals

router = APIRouter()

MOST = 100
"""Places on the leader board."""


@router.get("/statistics")
async def statistics(request: Request, user: User, farm: Farm, by: Group = Group.USER) -> Response:
    """Show totals."""
    shown = await _totals(user, farm, by)
    most = max((one.seconds for one in shown), default=0)
    return page(request, "statistics.html", groups=list(Group), by=by, totals=shown, most=most)


@router.get("/statistics/leaders")
async def board(request: Request, user: User, farm: Farm) -> Response:
    """Show who earned the most points by rendering for others."""
    found = await farm.database.read(partial(leaders, most=MOST))
    return page(request, "leaders.html", groups=list(Group), by="", leaders=found)


@router.get("/statistics/leaders.csv")
async def board_table(user: User, farm: Farm) -> Response:
    """Return the leader board as CSV."""
    found = await farm.database.read(partial(leaders, most=MOST))
    rows = [(one.name, points(one.milli), one.slaves, one.frames) for one in found]
    return _csv(("user", "points", "slaves", "frames"), rows, f"{farm.name}-leaders.csv")


@router.get("/statistics.csv")
async def table(user: User, farm: Farm, by: Group = Group.USER) -> Response:
    """Return totals as CSV; seconds are of rendering."""
    found = await _totals(user, farm, by)
    rows = [(_cell(one.name), one.jobs, one.frames, f"{one.seconds:.1f}") for one in found]
    return _csv((by.value, "jobs", "frames", "seconds"), rows, f"{farm.name}-by-{by}.csv")


def _csv(titles: Sequence[str], rows: Iterable[Sequence[object]], name: str) -> Response:
    made = io.StringIO()
    out = csv.writer(made)
    out.writerow(titles)
    out.writerows(rows)
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(made.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


async def _totals(user: User, farm: Farm, by: Group) -> list[Total]:
    who = asker(user, farm.settings)
    return await farm.database.read(partial(totals, asker=who, group=by))


def _cell(text: str) -> str:
    """Return a name that no spreadsheet takes for a formula: people choose the names of their projects."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
