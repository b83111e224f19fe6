"""What is asked of a server about points."""

from __future__ import annotations

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import JobView
from farm.protocol.points import BookView, Boost, BoostView, LedgerAudit, LedgerPage, PointsView


class PointCalls:
    """Accounts, their ledgers, and what points are spent on.

    Args:
        client: who talks.
    """

    def __init__(self, client: FarmClient) -> None:
        self._client = client

    def points(self, user: str = "") -> PointsView:
        """Return a user's account; empty: one's own."""
        return self._client.get("/api/points", PointsView, whose=user)

    def ledger(self, user: str = "", after: str | None = None, limit: int = 100) -> LedgerPage:
        """Return rows of a user's ledger, newest first."""
        return self._client.get("/api/points/ledger", LedgerPage, whose=user, after=after, limit=limit)

    def ledger_csv(self, user: str = "") -> str:
        """Return a user's whole ledger as CSV."""
        return self._client.send("GET", "/api/points/ledger.csv", params={"whose": user}).text

    def audit_points(self) -> LedgerAudit:
        """Recompute the whole ledger (admins)."""
        return self._client.get("/api/points/audit", LedgerAudit)

    def books(self) -> list[BookView]:
        """Return the closed books of the ledger (admins)."""
        return self._client.listed("/api/points/books", BookView)

    def preview_boost(self, job: int, boost: Boost) -> BoostView:
        """Return what a boost would cost and give."""
        return self._client.post(f"/api/jobs/{job}/boost/preview", BoostView, boost)

    def boost(self, job: int, boost: Boost) -> JobView:
        """Have a job rendered sooner, for points."""
        return JobView.model_validate_json(self._client.send("PUT", f"/api/jobs/{job}/boost", body=boost).content)
