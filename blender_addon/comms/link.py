"""One server, as one user: requests, uploads and downloads over http.client."""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from . import detour
from .trouble import ODD, Stopped, Trouble, of_connection, of_faults, stranger, without_server

PORT = 8282
"""A server's usual port."""

PATIENCE = 30.0
"""Seconds without a byte after which a request is given up."""

SILENCE = 40.0
"""The same for streams: the server sends something every 15 s."""

CHUNK = 256 * 1024
"""Bytes sent or read at once: small enough that stopping is felt at once."""

_GATEWAY = (502, 503, 504)
"""What a proxy answers while the server behind it is away, as in a restart."""

OnBytes = Callable[[int], None]


def tidy(server: str) -> str:
    """Return an address as `scheme://host:port` from what a person wrote.

    Raises:
        Trouble: it can't be one.
    """
    text = server.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or " " in text:
        raise Trouble(f"“{server}” is no server's address.", "Write http://host:8282 or https://host.", "bad_address")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = port or (PORT if parts.scheme == "http" else None)
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "") + parts.path.rstrip("/")


class Answer:
    """An answer that is read as it arrives; `past`: it comes past the server, from its bucket."""

    def __init__(
        self,
        response: http.client.HTTPResponse,
        translated: Callable[[], contextlib.AbstractContextManager[None]],
        past: bool = False,
    ) -> None:
        self.status = response.status
        self.past = past
        self._response = response
        self._translated = translated

    def chunk(self) -> bytes:
        """Return the next bytes; none at the end."""
        with self._translated():
            return self._response.read(CHUNK)

    def line(self) -> bytes:
        """Return the next line; none at the end."""
        with self._translated():
            return self._response.readline()


class Link:
    """A connection to a server; each thread that uses it has a connection of its own.

    Args:
        server: the address, as :func:`tidy` returns it.
        token: the login's token; empty: none.
        certificate: a file with a certificate to trust (PEM); empty: the system's.
        version: of the add-on, for the server's log.
    """

    def __init__(self, server: str, token: str = "", certificate: str = "", version: str = "") -> None:
        self.server = server
        self.token = token
        self.certificate = certificate
        self.version = version
        self._parts = urlsplit(server)
        self._patience = PATIENCE
        self._mine = threading.local()
        self._all: list[http.client.HTTPConnection] = []
        self._off = False

    def with_token(self, token: str) -> Link:
        """Return a link to the same server with another token."""
        return Link(self.server, token, self.certificate, self.version)

    @contextlib.contextmanager
    def fresh(self, patience: float = 0.0) -> Iterator[Link]:
        """Give a link to the same server with connections of its own, which are closed at the end.

        Args:
            patience: seconds without a byte after which a request is given up; 0: as this link.
        """
        made = copy.copy(self)
        made._mine, made._all, made._patience = threading.local(), [], patience or self._patience
        try:
            yield made
        finally:
            for connection in made._all:
                connection.close()

    def call(self, verb: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """Send a request; return the answer's JSON, None if it has none.

        Raises:
            Trouble: what went wrong, in words.
        """
        content = None if body is None else json.dumps(body).encode()
        own = {} if body is None else {"Content-Type": "application/json"}
        data = self._finish(self._request(verb, self._with(path, query), content, {**own, **(headers or {})}))
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            raise stranger(self._parts.netloc) from None

    def get(self, path: str) -> bytes:
        """Return the bytes behind a path."""
        return self._finish(self._request("GET", path, None, {}))

    def put(self, path: str, file: str, part: range, on_bytes: OnBytes, stop: threading.Event) -> None:
        """Send a file from some byte on, in constant memory.

        Args:
            path: where to.
            file: the local file.
            part: the bytes to send, up to the size that it had when it was hashed.
            on_bytes: is told how many more bytes have travelled.
            stop: set, it ends the upload with :class:`Stopped`.

        Raises:
            Trouble: also if the file changed or vanished.
        """
        headers = {"Content-Length": str(len(part)), "Content-Type": "application/octet-stream"}
        if part.start:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{part.stop}"
        self._finish(self._request("PUT", path, _chunks(file, part, on_bytes, stop), headers))

    @contextlib.contextmanager
    def stream(self, path: str, headers: dict[str, str], *, past: bool = False) -> Iterator[Answer]:
        """Give an answer that is read as it arrives, on a connection of its own; `past`: from the bucket, if it can."""
        with self.fresh(SILENCE) as link:
            way = detour.asked(self.server) if past else {}
            response = link._request("GET", path, None, {**headers, **way})
            straight = None
            if response.status == http.client.TEMPORARY_REDIRECT:
                response.read()
                straight = detour.opened(self.server, "GET", response.getheader("location") or "", headers)
                response = straight or link._request("GET", path, None, headers)
            # What is not satisfiable is whole already: the reader decides.
            if response.status >= 400 and response.status != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                link._finish(response)
            with response:
                yield Answer(response, link._past if straight else link._translated, straight is not None)

    def put_past(
        self, address: str, headers: dict[str, str], file: str, on_bytes: OnBytes, stop: threading.Event
    ) -> bool:
        """Send a whole file to the server's bucket, as the server said; return whether it arrived."""
        part = range(int(headers["content-length"]))
        response = detour.opened(self.server, "PUT", address, headers, _chunks(file, part, on_bytes, stop))
        if response is not None:
            response.close()
        return response is not None

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._mine, "connection", None)
        if connection is not None:
            connection.close()
            self._all.remove(connection)
            self._mine.connection = None

    def break_off(self) -> None:
        """Break all connections, of whichever thread, for good: who waits for a frozen server waits no longer."""
        self._off = True
        for connection in list(self._all):
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    # --- how ---

    def _with(self, path: str, query: dict[str, Any]) -> str:
        given = {key: value for key, value in query.items() if value is not None}
        return path + (f"?{urlencode(given)}" if given else "")

    def _request(self, verb: str, path: str, body: Any, headers: dict[str, str]) -> http.client.HTTPResponse:
        own = {"User-Agent": f"distren-blender/{self.version}", "Accept": "application/json", **headers}
        if self.token:
            own["Authorization"] = f"Bearer {self.token}"
        reused = getattr(self._mine, "connection", None) is not None
        try:
            with self._translated():
                return self._once(verb, path, body, own)
        except Trouble as trouble:
            self.close()
            # A connection that was kept open may have been closed by the server meanwhile.
            if not (reused and trouble.passing and verb == "GET"):
                raise
        with self._translated():
            return self._once(verb, path, body, own)

    def _once(self, verb: str, path: str, body: Any, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = self._connection()
        # A server that refuses an upload answers before it has read it all: hear why.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(verb, self._parts.path + quote(path, safe="/?=&%:+,"), body, headers)
        return connection.getresponse()

    def _connection(self) -> http.client.HTTPConnection:
        known: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if known is None:
            if self._off:
                raise Stopped
            known = self._open()
            self._all.append(known)
            self._mine.connection = known
        return known

    def _open(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._patience)
        return http.client.HTTPSConnection(host, port, timeout=self._patience, context=self._trust())

    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.certificate or None)
        except OSError as error:  # ssl.SSLError, too
            hint = "It must be a PEM file; choose it anew in the preferences."
            raise Trouble(f"The certificate {self.certificate} can't be read: {error}.", hint, "setup") from error

    def _finish(self, response: http.client.HTTPResponse) -> bytes:
        with self._translated():
            data = response.read()
        if response.status >= 400:
            if response.will_close:
                self.close()
            raise self._problem(response.status, data)
        return data

    def _problem(self, status: int, data: bytes) -> Trouble:
        try:
            body = json.loads(data)
            code, detail, hint = body["code"], body["detail"], body.get("hint", "")
            if code == "malformed" and body.get("faults"):
                return of_faults(body["faults"])
        except ODD:
            return without_server(self._parts.netloc) if status in _GATEWAY else stranger(self._parts.netloc)
        if status == 401 and code == "unauthenticated":
            return Trouble("Your login has ended.", "Log in again.", code)
        # A length mismatch is an upload that broke off on its way.
        passing = status in (429, 503) or code == "length_mismatch"
        return Trouble(str(detail), str(hint), str(code), passing=passing)

    @contextlib.contextmanager
    def _past(self) -> Iterator[None]:
        try:
            with self._translated():
                yield
        except Trouble:
            detour.failed(self.server)
            raise

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise of_connection(self.server, error) from error


def _chunks(file: str, part: range, on_bytes: OnBytes, stop: threading.Event) -> Iterator[bytes]:
    name = file.replace("\\", "/").rpartition("/")[2]
    left = len(part)
    try:
        with open(file, "rb") as stream:
            stream.seek(part.start)
            while left and (chunk := stream.read(min(CHUNK, left))):
                if stop.is_set():
                    raise Stopped
                left -= len(chunk)
                yield chunk
                on_bytes(len(chunk))
            grown = bool(stream.read(1))
    except FileNotFoundError as error:
        raise Trouble(f"“{name}” is not there any more.", "Send the job again.", "changed") from error
    if left or grown:
        raise Trouble(f"“{name}” changed while it was sent.", "Send the job again.", "changed")
