"""A slave's client. Its calls are told apart from failures of the way by their errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from farm.client.detour import Detour
from farm.client.discovery import by_name, located
from farm.client.http import SENDING, encoded, options, problem, range_of, resumed, translated
from farm.client.landing import Landing
from farm.package.hashing import CHUNK
from farm.protocol.errands import ErrandWord
from farm.protocol.slaves import JobSheet, Orders, Report, RequiredFiles, ResultStaged, SlaveLogin, SlaveWelcome
from farm.protocol.upgrades import UpgradeWord
from farm.protocol.uploads import RESUMABLE_BYTES, UploadOffset
from farm.words.errors import Unreachable


class SlaveLink:
    """Talk to one server as one slave.

    Args:
        server: its address; `distren://name` is looked for on the local network, again whenever it does not answer.
        verify: check its certificate; a path names one to trust.

    Raises:
        Unreachable, Unavailable: try again, with jittered backoff.
        DistrenError: others are the server's word, and final.
    """

    def __init__(self, server: str, verify: bool | str = True) -> None:
        self.server = server
        self._lost = by_name(server)
        with translated(server):
            self._detour = Detour()
            self._http = httpx.AsyncClient(**options("" if self._lost else server, None, verify))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def login(self, login: SlaveLogin) -> SlaveWelcome:
        """Open the slave's login; its token is used from now on."""
        response = await self._send("POST", "/api/slave/login", encoded(login))
        welcome = SlaveWelcome.model_validate_json(response.content)
        self._http.headers["Authorization"] = f"Bearer {welcome.token}"
        return welcome

    async def logout(self) -> None:
        """Give everything back and close the login."""
        await self._send("POST", "/api/slave/logout")

    async def next(self, report: Report) -> Orders:
        """Report, and get orders; hangs for up to `report.hold` seconds."""
        timeout = httpx.Timeout(report.hold + 15, connect=10)
        response = await self._send("POST", "/api/slave/next", report.model_dump_json().encode(), timeout)
        return Orders.model_validate_json(response.content)

    async def sheet(self, job: int) -> JobSheet:
        """Return all that is needed to render a job that this slave has a lease of."""
        return JobSheet.model_validate_json((await self._send("GET", f"/api/slave/jobs/{job}")).content)

    async def required(self, job: int, frame: int) -> RequiredFiles:
        """Return the files of the frames that a frame of a lease waited for."""
        response = await self._send("GET", f"/api/slave/jobs/{job}/frames/{frame}/required")
        return RequiredFiles.model_validate_json(response.content)

    async def fetch_blob(self, sha256: str, job: int, target: Path) -> None:
        """Fetch a file's bytes to `target`; goes on where an earlier try broke off.

        Raises:
            HashMismatch: it arrived damaged.
        """
        landing = Landing(target, sha256)
        try:
            await self._land(f"/api/slave/blobs/{sha256}?job={job}", landing)
            landing.finish()
        finally:
            landing.close()

    async def fetch_release(self, sha256: str, target: Path) -> None:
        """Fetch the server's version of DistRen, a wheel, to `target`.

        Raises:
            HashMismatch: it arrived damaged.
            NotFound: the server has another one by now.
        """
        landing = Landing(target, sha256)
        try:
            await self._land(f"/api/slave/releases/{sha256}", landing)
            landing.finish()
        finally:
            landing.close()

    async def upgrading(self, word: UpgradeWord) -> None:
        """Say how far an upgrade is."""
        await self._send("POST", "/api/slave/upgrade", encoded(word))

    async def errand(self, word: ErrandWord) -> None:
        """Say how far an errand is."""
        await self._send("POST", "/api/slave/errand", encoded(word))

    async def put_result(self, attempt: int, path: Path, sha256: str, size: int) -> ResultStaged:
        """Send a result tar, as a stream; goes on where an earlier try broke off."""
        url, start = f"/api/slave/results/{attempt}?sha256={sha256}", 0
        if size >= RESUMABLE_BYTES:
            response = await self._send("GET", f"/api/slave/results/{attempt}/offset?sha256={sha256}")
            start = resumed(UploadOffset.model_validate_json(response.content).offset, size)
        headers = {"Content-Type": "application/x-tar", **range_of(range(start, size))}
        async with self._reached():
            response = await self._http.put(url, content=_chunks(path, start), headers=headers, timeout=SENDING)
        if response.is_error:
            raise problem(response)
        return ResultStaged.model_validate_json(response.content)

    async def _land(self, path: str, landing: Landing) -> None:
        have = landing.open()
        address = await self._begin(path, landing, have)
        if address is not None and not await self._detour.land_async(address, landing, have):
            await self._begin(path, landing, have)

    async def _begin(self, path: str, landing: Landing, have: int) -> str | None:
        """Fetch the rest of a file, or return where else it is."""
        headers = {"Range": f"bytes={have}-", "If-Range": f'"{landing.sha256}"'} if have else {}
        headers |= self._detour.asked
        async with self._reached(), self._http.stream("GET", path, headers=headers) as response:
            if (address := self._detour.address(response)) is not None:
                return address
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return None
            if response.is_error:
                await response.aread()
                raise problem(response)
            if have and response.status_code != httpx.codes.PARTIAL_CONTENT:
                landing.restart()
            async for chunk in response.aiter_bytes(CHUNK):
                landing.write(chunk)
        return None

    @asynccontextmanager
    async def _reached(self) -> AsyncIterator[None]:
        """Look for a server that is known by its name, if it is not known where it is now; note if it does not answer.

        Raises:
            Unreachable, Unavailable: what is done within did not get through.
        """
        try:
            if self._lost:
                self._http.base_url = await asyncio.to_thread(located, self.server)
                self._lost = False
            with translated(self.server):
                yield
        except Unreachable:
            self._lost = by_name(self.server)
            raise

    async def _send(
        self, verb: str, path: str, body: bytes = b"", patience: httpx.Timeout | None = None
    ) -> httpx.Response:
        headers = {"Content-Type": "application/json"} if body else {}
        async with self._reached():
            response = await self._http.request(
                verb, path, content=body or None, headers=headers, timeout=patience or self._http.timeout
            )
        if response.is_error:
            raise problem(response)
        return response


async def _chunks(path: Path, start: int) -> AsyncIterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while chunk := stream.read(CHUNK):
            yield chunk
