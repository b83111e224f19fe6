"""This server among others: its keys, its peers, and how it talks to them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Row

from farm import __version__
from farm.database.handle import Database
from farm.methods.registry import METHODS
from farm.peers import book
from farm.peers.gate import BURST, RATE, Gate
from farm.peers.keys import KeyRing, verify
from farm.protocol.peers import PEERING, PeerState, ServerCard
from farm.words.errors import PeeringPaused, PeerRefused, from_problem
from farm.words.pace import Bucket

if TYPE_CHECKING:
    from farm.client.peerlink import Correspondence, PeerClient
    from farm.client.relay import Relay


Told = TypeVar("Told", bound=BaseModel)


class Peering:
    """A server among others.

    Args:
        name: this server's.
        keys: its own.
        database: the book of peers.
        quota: bytes that a peer's user may keep stored here.
        private: peers may be in private networks.
    """

    def __init__(self, name: str, keys: KeyRing, database: Database, *, quota: int, private: bool) -> None:
        self.name = name
        self.keys = keys
        self.database = database
        self.private = private
        self.gate = Gate(name, database, quota)
        self._paces: dict[str, Bucket] = {}
        self._relay: Relay | None = None

    def card(self, url: str) -> ServerCard:
        """Return who this server is.

        Args:
            url: how others reach it.
        """
        return ServerCard(
            name=self.name,
            addresses=[url] if url else [],
            version=__version__,
            peering=PEERING,
            key=self.keys.public.hex(),
            methods=sorted(METHODS),
        )

    async def signer(self, peer: str) -> Callable[[bytes], bytes]:
        """Return what signs for a peer: with the key that it knows."""
        row = await self.database.read(partial(book.find, name=peer))
        return partial(self.keys.sign, key=None if row is None else row.knows)

    async def to(self, peer: str, user: str = "") -> Correspondence:
        """Return how to write to a peer.

        Args:
            peer: its name.
            user: for whom; empty: for this server itself.

        Raises:
            UnknownPeer: it is none.
            PeeringPaused: an admin here has paused the exchange.
        """
        row = await self.database.read(partial(book.known, name=peer))
        if row.state == PeerState.PAUSED:
            raise PeeringPaused(f"An admin of {self.name} has paused the exchange with {peer}.")
        return self.correspondence(row, user)

    def correspondence(self, row: Row[Any], user: str = "") -> Correspondence:
        """Return how to write to the server of a row."""
        # Imported here: an HTTP client is 5 MB that a server without peers never needs.
        from farm.client.peerlink import Correspondence

        return Correspondence(
            server=self.name,
            peer=row.name,
            url=row.url,
            user=user,
            sign=partial(self.keys.sign, key=row.knows),
            verify=partial(verify, row.key),
            private=self.private,
        )

    async def client(self, peer: str, user: str = "") -> PeerClient:
        """Return a client for a peer, which acts for a user here; see :meth:`to`. It blocks: use it in a thread."""
        from farm.client.peerlink import PeerClient

        return PeerClient(await self.to(peer, user))

    def relay(self) -> Relay:
        """Return what passes users' requests on."""
        if self._relay is None:
            from farm.client.relay import Relay

            self._relay = Relay(private=self.private)
        return self._relay

    async def asked(
        self, row: Row[Any], method: str, target: str, said: BaseModel | None = None, *, user: str = ""
    ) -> bytes:
        """Ask the server of a row for something short, and return its answer.

        Args:
            row: the peer's.
            method: GET, POST …
            target: path and query.
            said: the request's body.
            user: for whom; a slave, where a slave asks; empty: for this server itself.

        Raises:
            DistrenError: the peer's word, or there is none.
        """
        await self.paced(row.name)
        body = b"" if said is None else said.model_dump_json().encode()
        headers = {"content-type": "application/json"} if body else {}
        answer = await self.relay().ask(self.correspondence(row, user), method, target, headers, body)
        whole = b"".join([chunk async for chunk in answer.body])
        if answer.status >= 400:
            raise from_problem(_problem(whole), answer.status)
        return whole

    async def told(
        self, answer: type[Told], row: Row[Any], method: str, target: str, said: BaseModel | None = None, user: str = ""
    ) -> Told:
        """Ask the server of a row, and return what it says; see :meth:`asked`.

        Raises:
            PeerRefused: it is none of what servers say.
        """
        whole = await self.asked(row, method, target, said, user=user)
        try:
            return answer.model_validate_json(whole)
        except ValueError as error:
            path = target.partition("?")[0]
            raise PeerRefused(f"{row.name} gave an answer to {path} that makes no sense here.") from error

    async def paced(self, peer: str) -> None:
        """Return when this server may ask a peer again without being too many for it."""
        bucket = self._paces.setdefault(peer, Bucket(RATE * 0.9, BURST / 2))
        wait = bucket.take(time.monotonic())
        while wait:
            await asyncio.sleep(wait)
            wait = bucket.take(time.monotonic())

    async def close(self) -> None:
        """Close all connections."""
        if self._relay is not None:
            await self._relay.close()


def _problem(whole: bytes) -> dict[str, Any]:
    """Return the members of a problem; of what is none, nothing."""
    try:
        found = json.loads(whole)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
