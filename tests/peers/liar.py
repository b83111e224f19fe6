"""A peer that has keys, is believed to be a server, and says whatever a test wants it to."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from farm.accounts import opaque
from farm.peers.keys import KeyRing, fingerprint
from farm.protocol.lending import CounterReceipts, PeerWork
from farm.protocol.peers import PEERING, WELL_KNOWN, AcceptPeer, ServerCard
from farm.protocol.signed import ANSWER, Letter
from farm.protocol.slaves import Orders
from farm.words.joincode import PeerCode
from tests.peers.conftest import Home

Says = Callable[[bytes], bytes | BaseModel]
"""What is answered to a body."""


class Liar:
    """It signs what it says, but for paths in `unsigned`; `says` has the answers to what is posted or got, by path."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.keys = name, KeyRing(folder / "key")
        self.unsigned: set[str] = set()
        self.peering = PEERING
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.says: dict[str, Says] = {}
        self.honest()
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def honest(self) -> None:
        """Say nothing but what is true."""
        self.unsigned.clear()
        self.peering = PEERING
        self.says = {
            WELL_KNOWN: lambda _: self.card,
            "/api/peering/introduction": lambda _: self.card,
            "/api/peering/hello": lambda _: self.card,
            "/api/peering/slaves": lambda _: b"",
            "/api/peering/end": lambda _: b"",
            "/api/peering/work": lambda _: PeerWork(news=False),
            "/api/peering/counters": lambda _: CounterReceipts(counters=[]),
            "/api/slave/next": lambda _: Orders(),
        }

    @property
    def card(self) -> ServerCard:
        """Who it is."""
        key = self.keys.public.hex()
        return ServerCard(
            name=self.name, addresses=[self.url], version="9", peering=self.peering, key=key, methods=["sleep"]
        )

    def befriend(self, home: Home) -> None:
        """Let an admin accept its code."""
        code = PeerCode(opaque.code(), self.url, fingerprint(self.keys.public))
        home.peers.accept(AcceptPeer.model_validate({"code": str(code)}))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def _handler(liar) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("content-length", 0))))

            def _answer(self, body: bytes) -> None:
                path = self.path.partition("?")[0]
                said = liar.says[path](body)
                told = said if isinstance(said, bytes) else said.model_dump_json().encode()
                self.send_response(200)
                self.send_header("content-length", str(len(told)))
                self.send_header("content-type", "application/json")
                if path != WELL_KNOWN and path not in liar.unsigned:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    letter = Letter.read(self.command, self.path, headers)
                    self.send_header(ANSWER, liar.keys.sign(letter.answered(200, told)).hex())
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                pass

        return Handler


@contextmanager
def lying(folder: Path, name: str) -> Iterator[Liar]:
    """Give a peer that may lie."""
    folder.mkdir(exist_ok=True)
    liar = Liar(folder, name)
    try:
        yield liar
    finally:
        liar.close()
