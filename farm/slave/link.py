"""What the agent needs of its server; :class:`farm.client.slavelink.SlaveLink` is the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from farm.protocol.errands import ErrandWord
from farm.protocol.slaves import JobSheet, Orders, Report, RequiredFiles, ResultStaged, SlaveLogin, SlaveWelcome
from farm.protocol.upgrades import UpgradeWord


class Link(Protocol):
    """The calls of a slave. They raise DistrenErrors; Unreachable and Unavailable mean: again later."""

    async def login(self, login: SlaveLogin) -> SlaveWelcome:
        """Open the slave's login."""
        ...

    async def logout(self) -> None:
        """Close it."""
        ...

    async def next(self, report: Report) -> Orders:
        """Report, and get orders."""
        ...

    async def sheet(self, job: int) -> JobSheet:
        """Return what is to be known of a job."""
        ...

    async def required(self, job: int, frame: int) -> RequiredFiles:
        """Return the files of the frames that a frame waited for."""
        ...

    async def fetch_blob(self, sha256: str, job: int, target: Path) -> None:
        """Fetch a file, checked, going on where an earlier try broke off."""
        ...

    async def fetch_release(self, sha256: str, target: Path) -> None:
        """Fetch the server's version of DistRen, checked."""
        ...

    async def upgrading(self, word: UpgradeWord) -> None:
        """Say how far an upgrade is."""
        ...

    async def errand(self, word: ErrandWord) -> None:
        """Say how far an errand is."""
        ...

    async def put_result(self, attempt: int, path: Path, sha256: str, size: int) -> ResultStaged:
        """Send a result tar, going on where an earlier try broke off."""
        ...
