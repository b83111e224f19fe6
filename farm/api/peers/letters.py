"""Requests of other servers, before anything else sees them: who asks is known before a byte of the body is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from starlette.types import Message, Receive, Scope, Send

from farm.peers.gate import SERVERS
from farm.peers.peering import Peering
from farm.protocol.signed import ANSWER, SIGNATURE, STREAMED, Letter, raw, signature_of
from farm.words.errors import PeerRefused

INTRODUCTION = f"{SERVERS}introduction"
"""Where a server that is no peer yet says who it is: the code that it shows is what lets it in."""

Sign = Callable[[bytes], bytes]


def signed(scope: Scope) -> bool:
    """Tell whether a request is another server's."""
    return any(name == SIGNATURE.encode() for name, _ in scope["headers"])


async def admit(scope: Scope, peering: Peering) -> Sign:
    """Let another server's request in: `scope["identity"]` is for whom it asks, `scope["letter"]` what it said.

    Returns:
        What signs the answer.

    Raises:
        DistrenError: it is not let in; see :meth:`farm.peers.gate.Gate.admit`.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    target = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    letter, signature = Letter.read(scope["method"], target, headers), signature_of(headers)
    scope["letter"], scope["signature"] = letter, signature
    if scope["path"] == INTRODUCTION:
        return peering.keys.sign
    address = scope["client"][0] if scope.get("client") else ""
    identity = await peering.gate.admit(letter, signature, address)
    if identity is not None:
        scope["identity"] = identity
    return await peering.signer(letter.sender)


def checked(receive: Receive, letter: Letter) -> Receive:
    """Return what gives a body, and raises if it is not the one that was signed."""
    if letter.digest == STREAMED:
        return receive
    digest = hashlib.sha256()

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            digest.update(message.get("body", b""))
            if not message.get("more_body", False) and digest.hexdigest() != letter.digest:
                raise PeerRefused("The body is not the one that was signed.")
        return message

    return receiving


class Sealed:
    """Sign an answer, which is held back until it is whole; :func:`farm.protocol.signed.raw` names those that are not.

    Args:
        send: where it goes.
        letter: what is answered.
        sign: makes the signature.
    """

    def __init__(self, send: Send, letter: Letter, sign: Sign) -> None:
        self._send, self._letter, self._sign = send, letter, sign
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._start = message
            if self._passes():
                await self._send(message)
        elif self._passes():
            await self._send(message)
        else:
            await self._held(message)

    def _passes(self) -> bool:
        return raw(self._letter.target) and bool(self._start["status"] < 400)

    async def _held(self, message: Message) -> None:
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        whole = b"" if self._letter.method == "HEAD" else self._body
        signature = self._sign(self._letter.answered(self._start["status"], whole))
        headers = [*self._start["headers"], (ANSWER.encode(), signature.hex().encode())]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": self._body})
