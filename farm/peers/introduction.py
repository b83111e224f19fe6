"""How two servers become peers: one admin makes a code, the other accepts it; how keys change, and how it ends."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from farm.accounts import opaque
from farm.peers import book
from farm.peers.keys import fingerprint, verify
from farm.peers.peering import Peering
from farm.protocol.peers import PEERING, AcceptPeer, Introduction, MakePeerInvite, NewKey, PeerState, ServerCard
from farm.protocol.signed import SKEW, Letter, unfit
from farm.words.clock import now
from farm.words.errors import DistrenError, NameTaken, PeerRefused
from farm.words.joincode import PeerCode

log = structlog.get_logger(__name__)


async def invite(peering: Peering, wish: MakePeerInvite, url: str) -> tuple[PeerCode, int]:
    """Make a code for the admin of another server; return it, and when it expires (µs)."""
    if wish.name == peering.name:
        raise NameTaken(f"This server is “{wish.name}” itself.", hint="Name the other one.")
    secret, address = opaque.code(), wish.address or url
    expires = await peering.database.write(partial(book.invite, wish=wish, secret=secret, at=now()))
    key = await asyncio.to_thread(lambda: peering.keys.public)
    return PeerCode(secret, address, fingerprint(key)), expires


async def accept(peering: Peering, wish: AcceptPeer, url: str) -> str:
    """Become a peer of the server whose admin made a code; return its name.

    Raises:
        Malformed: it is no code.
        Unreachable, Unavailable, Forbidden: that server can't be asked.
        PeerRefused: it is not the one that made the code.
        NameTaken: it has the name of another peer, or of this server.
        RegistrationRefused: it does not take the code.
    """
    code = PeerCode.parse(wish.code.get_secret_value())
    card = await asyncio.to_thread(_who, peering, code)
    if card.name == peering.name:
        raise NameTaken(f"The other server is called “{card.name}”, too: names are unique.")
    secret = code.secret
    answer = await asyncio.to_thread(_introduce, peering, card, code.address, wish.address or url, secret)
    if answer.key != card.key or answer.name != card.name:
        raise PeerRefused("The other server did not say the same twice.")
    there = answer.model_copy(update={"addresses": [code.address.rstrip("/")]})
    ours = peering.keys.public
    await peering.database.write(partial(book.add, card=there, ours=ours, at=now(), sees_all=wish.sees_all))
    log.info("A server is a peer now.", peer=card.name, url=code.address)
    return card.name


async def introduced(
    peering: Peering, introduction: Introduction, letter: Letter, signature: bytes, url: str
) -> ServerCard:
    """Let the server that shows a code become a peer; return who this one is.

    Raises:
        PeerRefused: it has not the key that it shows, or the message is not for this server, or too old.
        VersionUnfit: it speaks another version.
        NameTaken, RegistrationRefused: see :func:`farm.peers.book.redeem`.
    """
    card = introduction.card
    must_be_spoken(card)
    if (letter.sender, letter.to) != (card.name, peering.name) or abs(letter.at - now()) > SKEW:
        raise PeerRefused("The message is of another server, for another, or too old.")
    verify(bytes.fromhex(card.key), letter.text(), signature)
    if card.name == peering.name:
        raise NameTaken(f"This server is called “{card.name}”, too: names are unique.")
    secret, ours = introduction.secret.get_secret_value(), peering.keys.public
    await peering.database.write(partial(book.redeem, secret=secret, card=card, ours=ours, at=now()))
    log.info("A server is a peer now.", peer=card.name, url=card.addresses[:1])
    return peering.card(url)


def must_be_spoken(card: ServerCard) -> None:
    """Refuse a server whose messages would be misunderstood.

    Raises:
        VersionUnfit: says which of the two is older.
    """
    if card.peering != PEERING:
        raise unfit(card.name, card.peering)


async def hello(peering: Peering, peer: str) -> None:
    """Ask a peer whether it lives, and write down what came of it; tell it this server's new key, if it has one."""
    row = await peering.database.read(partial(book.known, name=peer))
    began = now()
    try:
        if row.knows != peering.keys.public:
            await asyncio.to_thread(_tell_key, peering, peer, row)
            await peering.database.write(partial(book.knows, name=peer, ours=peering.keys.public))
            row = await peering.database.read(partial(book.known, name=peer))
            began = now()
        card = await asyncio.to_thread(_hello, peering, row)
        must_be_spoken(card)
    except DistrenError as error:
        away = error.status >= 500
        await peering.database.write(partial(book.erred, name=peer, error=error.message, at=now(), away=away))
        return
    took = now() - began
    await peering.database.write(partial(book.answered, name=peer, card=card, latency=took, at=now()))


async def rotate(peering: Peering, *, revoke: bool) -> tuple[list[str], dict[str, str]]:
    """Make new keys, and tell all peers.

    Args:
        peering: this server's.
        revoke: the former ones are in other hands: those who were not told in time must agree anew.

    Returns:
        Who was told, and who was not and why.
    """
    await asyncio.to_thread(peering.keys.rotate)
    told, untold = [], dict[str, str]()
    for row in await peering.database.read(book.everyone):
        try:
            await asyncio.to_thread(_tell_key, peering, row.name, row)
            await peering.database.write(partial(book.knows, name=row.name, ours=peering.keys.public))
            told.append(row.name)
        except DistrenError as error:
            untold[row.name] = error.message
    if revoke or not untold:
        await asyncio.to_thread(peering.keys.forget_former)
    log.info("The server has new keys.", told=told, untold=sorted(untold), revoked=revoke)
    return told, untold


async def new_key(peering: Peering, sender: str, news: NewKey) -> None:
    """Learn a peer's new key.

    Raises:
        PeerRefused: it has not the key that it shows.
    """
    key = bytes.fromhex(news.key)
    verify(key, NewKey.proved(sender, peering.name, news.key), bytes.fromhex(news.proof))
    await peering.database.write(partial(book.learn_key, name=sender, key=key))
    log.info("A peer has a new key.", peer=sender, fingerprint=fingerprint(key))


async def end(peering: Peering, peer: str) -> None:
    """End the exchange with a peer, and tell it, if it can be told."""
    row = await peering.database.read(partial(book.known, name=peer))
    await peering.database.write(partial(book.set_state, name=peer, state=PeerState.ENDED))
    try:
        await asyncio.to_thread(_goodbye, peering, row)
    except DistrenError as error:
        log.info("A peer could not be told that the exchange has ended.", peer=peer, reason=error.message)


# --- what blocks: in threads ---


def _who(peering: Peering, code: PeerCode) -> ServerCard:
    from farm.client.peercalls import PeerCalls
    from farm.client.peerlink import StrangerClient

    with StrangerClient(code.address.rstrip("/"), private=peering.private) as client:
        card = PeerCalls(client).card()
    if fingerprint(bytes.fromhex(card.key)) != code.fingerprint:
        hint = "Ask its admin for a new code, on a way that you trust."
        raise PeerRefused(f"The server at {code.address} is not the one that made the code.", hint=hint)
    must_be_spoken(card)
    return card


def _introduce(peering: Peering, card: ServerCard, there: str, here: str, secret: str) -> ServerCard:
    from farm.client.peercalls import PeerCalls
    from farm.client.peerlink import Correspondence, PeerClient

    to = Correspondence(
        server=peering.name,
        peer=card.name,
        url=there.rstrip("/"),
        user="",
        sign=peering.keys.sign,
        verify=partial(verify, bytes.fromhex(card.key)),
        private=peering.private,
    )
    with PeerClient(to) as client:
        return PeerCalls(client).introduce(Introduction.model_validate({"secret": secret, "card": peering.card(here)}))


def _hello(peering: Peering, row: book.PeerRow) -> ServerCard:
    from farm.client.peercalls import PeerCalls
    from farm.client.peerlink import PeerClient

    with PeerClient(peering.correspondence(row)) as client:
        return PeerCalls(client).hello()


def _goodbye(peering: Peering, row: book.PeerRow) -> None:
    from farm.client.peercalls import PeerCalls
    from farm.client.peerlink import PeerClient

    with PeerClient(peering.correspondence(row)) as client:
        PeerCalls(client).goodbye()


def _tell_key(peering: Peering, peer: str, row: book.PeerRow) -> None:
    """Tell a peer the key of now: with the one that it knows, or, if only its answer was lost, with the new one."""
    from dataclasses import replace

    from farm.client.peercalls import PeerCalls
    from farm.client.peerlink import PeerClient

    key = peering.keys.public
    text = NewKey.proved(peering.name, peer, key.hex())
    news = NewKey(key=key.hex(), proof=peering.keys.sign(text).hex())
    to = peering.correspondence(row)
    try:
        with PeerClient(to) as client:
            PeerCalls(client).new_key(news)
    except PeerRefused:
        with PeerClient(replace(to, sign=peering.keys.sign)) as client:
            PeerCalls(client).new_key(news)
