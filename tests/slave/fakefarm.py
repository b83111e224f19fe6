"""A server of a few lines, in this process: leases, fence, revocations. Everything else is real."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import tarfile
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farm.client.landing import Landing
from farm.package.results import members
from farm.protocol.jobs import FileEntry, Limits
from farm.protocol.slaves import (
    Failed,
    Finished,
    JobSheet,
    Lease,
    LeasedFrame,
    Orders,
    Renderer,
    Report,
    RequiredFiles,
    ResultStaged,
    SlaveLogin,
    SlaveWelcome,
    Verdict,
)
from farm.words.errors import DistrenError, NotFound, StaleReport, Unreachable


class FakeFarm:
    """One server with one slave."""

    def __init__(self) -> None:
        self.sheets: dict[int, JobSheet] = {}
        self.blobs: dict[str, bytes] = {}
        self.needs: dict[tuple[int, int], RequiredFiles] = {}
        self.ready: deque[tuple[int, int]] = deque()
        self.open: dict[int, tuple[int, int]] = {}
        self.done: dict[tuple[int, int], dict[str, bytes]] = {}
        self.finished: list[Finished] = []
        self.failed: list[Failed] = []
        self.returned: list[int] = []
        self.verdicts: dict[int, str] = {}
        self.staged: dict[int, bytes] = {}
        self.reports: list[Report] = []
        self.lost: list[int] = []
        self.fetched: list[str] = []
        self.broken: DistrenError | None = None
        self.per_lease = 2
        self.heartbeat = 0.5
        self.revoke: set[int] = set()
        self.drain = False
        self.install: Renderer | None = None
        self.remarks: list[str] = []
        self.logins = 0
        self.logouts = 0
        self._attempt = 100
        self._seq = -1
        self._news = asyncio.Event()

    def job(
        self,
        job: int,
        frames: range,
        files: dict[str, bytes] | None = None,
        limits: Limits | None = None,
        **settings: Any,
    ) -> None:
        entries = []
        for path, data in (files or {}).items():
            sha256 = hashlib.sha256(data).hexdigest()
            self.blobs[sha256] = data
            path, _, only = path.partition("@")
            entries.append(FileEntry(path=path, sha256=sha256, size=len(data), frames=only or None))
        self.sheets[job] = JobSheet(
            job=job, revision=1, address=f"distren://fake/{job}", name=f"job {job}", method="sleep", version="",
            newer=False, engine="", settings={"seconds": 0.05, **settings}, source="", files=entries,
            limits=limits or Limits(render_seconds=30, silence_seconds=30),
        )  # fmt: skip
        self.ready.extend((job, n) for n in frames)
        self.news()

    def news(self) -> None:
        self._news.set()

    async def until(self, condition: Any, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    # The calls of a slave

    async def login(self, login: SlaveLogin) -> SlaveWelcome:
        self._fail()
        self.logins += 1
        self.remarks = login.hardware.remarks
        return SlaveWelcome(token="t", name="ws1", server="fake", heartbeat_seconds=self.heartbeat)

    async def logout(self) -> None:
        self._fail()
        self.logouts += 1

    async def next(self, report: Report) -> Orders:
        await asyncio.sleep(0.002)
        self._fail()
        if report.seq <= self._seq:
            raise StaleReport
        self._seq = report.seq
        self.reports.append(report)
        orders = self._take(report)
        end = asyncio.get_running_loop().time() + report.hold
        while not self._says(orders) and (left := end - asyncio.get_running_loop().time()) > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(min(left, 0.02)):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._fail()
            if self._seq != report.seq:
                return Orders(superseded=True)
            orders = self._orders(report, [])
        return orders

    async def sheet(self, job: int) -> JobSheet:
        self._fail()
        if job not in self.sheets:
            raise NotFound(f"There is no job {job}.")
        return self.sheets[job]

    async def required(self, job: int, frame: int) -> RequiredFiles:
        self._fail()
        return self.needs[job, frame]

    async def fetch_blob(self, sha256: str, job: int, target: Path) -> None:
        self._fail()
        self.fetched.append(sha256)
        landing = Landing(target, sha256)
        try:
            landing.open()
            landing.restart()
            landing.write(self.blobs[sha256])
            landing.finish()
        finally:
            landing.close()

    async def put_result(self, attempt: int, path: Path, sha256: str, size: int) -> ResultStaged:
        self._fail()
        data = path.read_bytes()  # noqa: ASYNC240
        self.staged[attempt] = data
        return ResultStaged(attempt=attempt, sha256=hashlib.sha256(data).hexdigest(), size=len(data))

    # What it does with them

    def _fail(self) -> None:
        if self.broken:
            raise self.broken

    def _says(self, orders: Orders) -> bool:
        return bool(orders.leases or orders.revoked or orders.verdicts)

    def _take(self, report: Report) -> Orders:
        verdicts = [self._finish(f) for f in report.finished]
        for failed in report.failed:
            self.failed.append(failed)
            self.open.pop(failed.attempt, None)
        for attempt in report.returned:
            self.returned.append(attempt)
            self._back(attempt)
        here = {r.attempt for r in report.running} | set(report.holding) | set(report.finishing)
        for attempt in set(self.open) - here:
            self.lost.append(attempt)
            self._back(attempt)
        return self._orders(report, verdicts)

    def _back(self, attempt: int) -> None:
        if frame := self.open.pop(attempt, None):
            self.ready.append(frame)

    def _finish(self, finished: Finished) -> Verdict:
        verdict = self.verdicts.pop(finished.attempt, "accepted")
        if verdict == "accepted" and finished.attempt in self.open:
            data = base64.b64decode(finished.inline) if finished.inline else self.staged[finished.attempt]
            assert hashlib.sha256(data).hexdigest() == finished.sha256
            frame = self.open.pop(finished.attempt)
            assert frame not in self.done
            self.done[frame] = {m.name: m.data.read() for m in members(io.BytesIO(data), 10**9)}
            self.finished.append(finished)
        return Verdict(attempt=finished.attempt, verdict=verdict)

    def _orders(self, report: Report, verdicts: list[Verdict]) -> Orders:
        leases = []
        while self.ready and len(leases) < report.want and not self.drain:
            leases.append(self._lease())
        revoked = [a for a in self.revoke if a in {r.attempt for r in report.running} | set(report.holding)]
        for attempt in revoked:
            self.revoke.discard(attempt)
            self.open.pop(attempt, None)
        return Orders(
            leases=leases,
            verdicts=verdicts,
            revoked=revoked,
            heartbeat_seconds=self.heartbeat,
            drain=self.drain,
            install=None if leases or self.open else self.install,
        )

    def _lease(self) -> Lease:
        job = self.ready[0][0]
        frames = []
        while self.ready and self.ready[0][0] == job and len(frames) < self.per_lease:
            self._attempt += 1
            frame = self.ready.popleft()
            self.open[self._attempt] = frame
            frames.append(LeasedFrame(attempt=self._attempt, number=frame[1], picture=frame[1]))
        now = datetime.now(UTC)
        return Lease(lease=self._attempt, job=job, revision=1, frames=frames, deadline=now)


def gone() -> DistrenError:
    return Unreachable("The server is gone.")


def tar_names(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getnames()
