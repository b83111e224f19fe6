"""`/api/points`: what a user has, the ledger, its audit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.engine import Connection

from farm.accounts import ledgeraudit, ledgerviews, users
from farm.accounts.identity import Identity
from farm.api.dependencies import Admin, Db, Farm, User
from farm.api.services import Services
from farm.database.engine import snapshot
from farm.database.handle import Database
from farm.files.store import BlobStore
from farm.protocol.points import BookView, LedgerAudit, LedgerPage, PointsView
from farm.words.errors import NotFound

router = APIRouter(prefix="/api/points", tags=["points"])

_PAGE = 1000

Whose = Annotated[str, Query(max_length=32, description="Another user (admins); empty: yourself.")]


@router.get("", summary="What a user has")
async def show_points(user: User, db: Db, whose: Whose = "") -> PointsView:
    """Return what you have, what you have ever earned, and what lies in your jobs' escrows."""
    number, name = await _who(db, user, whose)
    return await db.read(partial(ledgerviews.view, user=number, name=name))


@router.get("/ledger", summary="The rows of a user's ledger")
async def show_ledger(
    user: User,
    farm: Farm,
    whose: Whose = "",
    after: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 100,
) -> LedgerPage:
    """List rows of the ledger, newest first, each with its reason and all that its amount was computed from."""
    number, _ = await _who(farm.database, user, whose)
    return await farm.database.read(partial(ledgerviews.page, user=number, server=farm.name, after=after, limit=limit))


@router.get(
    "/ledger.csv",
    summary="A user's ledger as CSV",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}},
)
async def export_ledger(user: User, farm: Farm, whose: Whose = "") -> StreamingResponse:
    """Stream all rows of a ledger as CSV, newest first; what rows of closed books came to is behind them."""
    number, name = await _who(farm.database, user, whose)
    headers = {"Content-Disposition": f'attachment; filename="points-{name}.csv"'}
    return StreamingResponse(_lines(farm, number), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/books", summary="Closed books of the ledger (admins)")
async def list_books(admin: Admin, db: Db) -> list[BookView]:
    """List the archives of rows whose jobs were deleted long ago, the oldest first."""
    return await db.read(ledgerviews.closed_books)


@router.get("/audit", summary="Recompute the whole ledger (admins)")
async def audit_points(admin: Admin, farm: Farm) -> LedgerAudit:
    """Recompute every row and every account, also those of closed books; say what does not add up."""
    return LedgerAudit(faults=await farm.database.read(partial(_audit, store=farm.store)))


def _audit(conn: Connection, store: BlobStore) -> list[str]:
    with snapshot(conn):
        return ledgeraudit.audit(conn, store)


async def _lines(farm: Services, user: int) -> AsyncIterator[str]:
    after, titles = None, True
    while after is not None or titles:
        query = partial(ledgerviews.page, user=user, server=farm.name, after=after, limit=_PAGE)
        page = await farm.database.read(query)
        yield ledgerviews.as_csv(page.rows, titles=titles)
        after, titles = page.next, False
    yield await farm.database.read(partial(ledgerviews.closed_csv, user=user))


async def _who(db: Database, user: Identity, whose: str) -> tuple[int, str]:
    """Return the id and the name of the user who is meant.

    Raises:
        Forbidden: another, and the asker is no admin.
        NotFound: there is no such user.
    """
    if whose in ("", user.name):
        return user.id, user.name
    user.must_be_admin()
    row = await db.read(partial(users.find, name=whose))
    if row is None:
        raise NotFound(f"There is no user “{whose}”.")
    return row["id"], row["name"]
