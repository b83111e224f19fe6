"""A network that breaks: a relay in front of a server, which cuts connections when a test wants it to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class Relay:
    """Passes bytes on.

    Args:
        port: where to.

    `cuts` says for the next connections after how many bytes each is cut, towards the server (`up`) or
    back (`down`); then they pass whole. `up` and `down` count the bytes that passed.
    """

    def __init__(self, port: int) -> None:
        self.cuts: list[tuple[str, int]] = []
        self.passed = {"up": 0, "down": 0}
        self._broken = False
        self._to = port
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @contextmanager
    def broken(self) -> Iterator[None]:
        """End all connections, and each new one at once, while the block runs."""
        with self._lock:
            self._broken = True
            for each in self._open:
                _end(each)
        try:
            yield
        finally:
            with self._lock:
                self._broken = False

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for each in self._open:
            _end(each)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            with self._lock:
                self._open += [client, server]
                if self._broken:
                    _end(client)
                    _end(server)
            for way, source, target in (("up", client, server), ("down", server, client)):
                thread = threading.Thread(target=self._pass, args=(way, source, target), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pass(self, way: str, source: socket.socket, target: socket.socket) -> None:
        gone = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if self._cut(way, gone + len(piece)):
                    break
                target.sendall(piece)
                gone += len(piece)
                with self._lock:
                    self.passed[way] += len(piece)
        _end(source)
        _end(target)

    def _cut(self, way: str, gone: int) -> bool:
        with self._lock:
            if self.cuts and self.cuts[0][0] == way and gone > self.cuts[0][1]:
                self.cuts.pop(0)
                return True
        return False


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def cutting(url: str) -> Iterator[Relay]:
    """Give a relay in front of a server."""
    relay = Relay(urlsplit(url).port or 80)
    try:
        yield relay
    finally:
        relay.close()
