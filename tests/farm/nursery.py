"""Farms whose processes start at once: see :class:`tests.farm.processes.Forked`."""

from __future__ import annotations

from pathlib import Path

from tests.farm.farm import Farm
from tests.farm.processes import Forked

__all__ = ["Forked", "QuickFarm"]


class QuickFarm(Farm):
    """A farm that can be killed hundreds of times."""

    def __init__(self, folder: Path, database_url: str = "", **settings: str) -> None:
        super().__init__(folder, database_url, quick=True, **settings)
