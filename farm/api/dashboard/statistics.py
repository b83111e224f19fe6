"""`/statistics`: who and what rendered how much; as a table for spreadsheets, too."""

from __future__ import annotations

import csv
import io
from functools import partial

from fastapi import APIRouter, Request, Response

from farm.api.dashboard.rendering import page
from farm.api.dependencies import Farm, User
from farm.api.jobs.parts import asker
from farm.jobs.statistics import Group, Total, totals

router = APIRouter()


@router.get("/statistics")
async def statistics(request: Request, user: User, farm: Farm, by: Group = Group.USER) -> Response:
    """Show totals."""
    shown = await _totals(user, farm, by)
    most = max((one.seconds for one in shown), default=0)
    return page(request, "statistics.html", groups=list(Group), by=by, totals=shown, most=most)


@router.get("/statistics.csv")
async def table(user: User, farm: Farm, by: Group = Group.USER) -> Response:
    """Return totals as CSV; seconds are of rendering."""
    made = io.StringIO()
    rows = csv.writer(made)
    rows.writerow((by.value, "jobs", "frames", "seconds"))
    rows.writerows(
        (_cell(one.name), one.jobs, one.frames, f"{one.seconds:.1f}") for one in await _totals(user, farm, by)
    )
    headers = {"content-disposition": f'attachment; filename="{farm.name}-by-{by}.csv"', "cache-control": "no-store"}
    return Response(made.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


async def _totals(user: User, farm: Farm, by: Group) -> list[Total]:
    who = asker(user, farm.settings)
    return await farm.database.read(partial(totals, asker=who, group=by))


def _cell(text: str) -> str:
    """Return a name that no spreadsheet takes for a formula: people choose the names of their projects."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
