"""A user's files, carried to a server and from it: through it, or straight to its bucket and from there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from farm.client.answers import understood
from farm.client.detour import Detour
from farm.client.http import SENDING, problem, range_of, resumed, translated
from farm.client.landing import Landing
from farm.client.patience import OnBytes
from farm.client.reading import chunks
from farm.package.hashing import CHUNK
from farm.protocol.uploads import RESUMABLE_BYTES, DirectUpload, UploadOffset
from farm.words.errors import FileNotHere, HashMismatch


class Carrier:
    """Carry files for one client.

    Args:
        http: the connections to the server.
        server: its address.
        send: sends a request, and raises an answer that is a problem.
        detour: the way past the server.
    """

    def __init__(self, http: httpx.Client, server: str, send: Callable[..., httpx.Response], detour: Detour) -> None:
        self._http = http
        self._server = server
        self._send = send
        self._detour = detour

    def put(self, path: Path, sha256: str, size: int, on_bytes: OnBytes) -> None:
        """Send a file's bytes, in constant memory; goes on where an earlier try broke off.

        Raises:
            LengthMismatch: the file has changed its size since it was hashed.
        """
        start = 0
        if size >= RESUMABLE_BYTES:
            answer = self._send("GET", f"/api/blobs/{sha256}/offset", headers=self._detour.asked)
            with understood(self._server):
                told = UploadOffset.model_validate_json(answer.content)
            if told.direct and self._past(told.direct, path, sha256, size, on_bytes):
                return
            start = resumed(told.offset, size)
        on_bytes(start)
        try:
            self._whole(path, sha256, range(start, size), on_bytes)
        except HashMismatch:
            if not start:
                raise
            # What an earlier try left was damaged; the server has thrown it away.
            on_bytes(-size)
            self._whole(path, sha256, range(size), on_bytes)

    def _past(self, way: DirectUpload, path: Path, sha256: str, size: int, on_bytes: OnBytes) -> bool:
        """Send a file's bytes to the server's bucket; return whether the server has them from there."""
        sent = 0

        def count(more: int) -> None:
            nonlocal sent
            sent += more
            on_bytes(more)

        if self._detour.put(way, chunks(path, range(size), count)):
            with contextlib.suppress(FileNotHere):
                self._send("POST", f"/api/blobs/{sha256}/arrived", timeout=SENDING)
                return True
            self._detour.failed()
        on_bytes(-sent)
        return False

    def _whole(self, path: Path, sha256: str, part: range, on_bytes: OnBytes) -> None:
        headers = {"Content-Type": "application/octet-stream", **range_of(part)}
        content = chunks(path, part, on_bytes)
        self._send("PUT", f"/api/blobs/{sha256}", content=content, headers=headers, timeout=SENDING)

    def land(self, path: str, landing: Landing, on_bytes: OnBytes, query: dict[str, Any] | None = None) -> bool:
        """Bring the rest of a file; return whether it came past the server, which does not know so far."""
        have = landing.open()
        on_bytes(have)
        address = self._begin(path, landing, have, on_bytes, query)
        if address is None:
            return False
        if self._detour.land(address, landing, have, on_bytes):
            return True
        self._begin(path, landing, have, on_bytes, query)
        return False

    def _begin(
        self, path: str, landing: Landing, have: int, on_bytes: OnBytes, query: dict[str, Any] | None
    ) -> str | None:
        """Fetch the rest of a file, or return where else it is."""
        headers = {"Range": f"bytes={have}-", "If-Range": f'"{landing.sha256}"'} if have else {}
        headers |= self._detour.asked
        with translated(self._server), self._http.stream("GET", path, headers=headers, params=query) as response:
            if (address := self._detour.address(response)) is not None:
                return address
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return None
            if response.is_error:
                response.read()
                raise problem(response)
            if have and response.status_code != httpx.codes.PARTIAL_CONTENT:
                on_bytes(-have)
                landing.restart()
            for chunk in response.iter_bytes(CHUNK):
                landing.write(chunk)
                on_bytes(len(chunk))
        return None
