"""`/api/peering`: what servers say to each other for themselves. Every request is signed; see docs/adr/0011."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, status

from farm.api.dependencies import Farm
from farm.api.peers.letters import INTRODUCTION
from farm.api.slave.polls import may_give_work
from farm.peers import account, book, introduction, lending, receipts
from farm.peers.gate import SERVERS
from farm.protocol.lending import AskReceipts, CounterReceipts, LentSlave, PeerWork, Receipts, Statement
from farm.protocol.peers import Introduction, NewKey, PeerState, ServerCard
from farm.protocol.signed import Letter
from farm.words.clock import now
from farm.words.errors import PeerRefused

router = APIRouter(tags=["peers"])


async def _letter(request: Request) -> Letter:
    letter = request.scope.get("letter")
    if not isinstance(letter, Letter):
        raise PeerRefused("Servers sign what they say to each other, and this is not signed.")
    return letter


Signed = Annotated[Letter, Depends(_letter)]
"""What another server said, and that it did; but for the introduction, it is a peer."""


@router.post(INTRODUCTION, summary="Become a peer, by a code")
async def introduce(said: Introduction, request: Request, letter: Signed, farm: Farm) -> ServerCard:
    """Let the server become a peer that shows a code which an admin made for it, and has the key that it shows."""
    return await introduction.introduced(farm.peering, said, letter, request.scope["signature"], farm.url)


@router.post(f"{SERVERS}hello", summary="Does it live")
async def hello(_letter: Signed, farm: Farm) -> ServerCard:
    """Answer a peer that asks whether this server lives, and who it is now."""
    return farm.peering.card(farm.url)


@router.post(f"{SERVERS}key", status_code=status.HTTP_204_NO_CONTENT, summary="A peer has a new key")
async def key(news: NewKey, letter: Signed, farm: Farm) -> None:
    """Learn a peer's new public key, told with the former one."""
    await introduction.new_key(farm.peering, letter.sender, news)


@router.post(f"{SERVERS}end", status_code=status.HTTP_204_NO_CONTENT, summary="A peer ends the exchange")
async def end(letter: Signed, farm: Farm) -> None:
    """Learn that a peer has ended the exchange of jobs."""
    await farm.database.write(partial(book.set_state, name=letter.sender, state=PeerState.ENDED))


@router.post(f"{SERVERS}slaves", status_code=status.HTTP_204_NO_CONTENT, summary="A peer lends a slave")
async def slaves(said: LentSlave, letter: Signed, farm: Farm) -> None:
    """Let a slave of the peer's render here, if an admin here borrows from that one."""
    await farm.database.write(partial(lending.welcome, peer=letter.sender, said=said, at=now()))


@router.get(f"{SERVERS}work", summary="Is there work for a peer's slaves")
async def work(_letter: Signed, farm: Farm, hold: Annotated[float, Query(ge=0, le=30)] = 0) -> PeerWork:
    """Answer when there may be work that was not there before, or after `hold` seconds."""
    news = asyncio.Event()
    deaf = farm.reader.listen(lambda told: news.set() if any(map(may_give_work, told)) else None)
    waits = {asyncio.create_task(news.wait()), asyncio.create_task(farm.stopping.wait())}
    try:
        await asyncio.wait(waits, timeout=hold, return_when=asyncio.FIRST_COMPLETED)
    finally:
        deaf()
        for wait in waits:
            wait.cancel()
    return PeerWork(news=news.is_set())


@router.post(f"{SERVERS}receipts", summary="What is owed for frames")
async def sign_receipts(said: AskReceipts, letter: Signed, farm: Farm) -> Receipts:
    """Sign what this server owes for frames that the peer's slaves rendered."""
    sign = await farm.peering.signer(letter.sender)
    made = partial(receipts.issue, us=farm.name, peer=letter.sender, wanted=said.attempts, sign=sign)
    return Receipts(receipts=await farm.database.read(made))


@router.get(f"{SERVERS}counters", summary="What is owed no more")
async def sign_counters(
    letter: Signed,
    farm: Farm,
    known: Annotated[int, Query(ge=0)] = 0,
    after: Annotated[int, Query(ge=-1, le=2**62)] = -1,
) -> CounterReceipts:
    """Sign what this server owes no more, for frames that the peer's slaves rendered were false.

    `known`: how many counter-receipts the peer has; `after`: only for attempts after this one.
    """
    sign = await farm.peering.signer(letter.sender)
    made = partial(receipts.counter, us=farm.name, peer=letter.sender, known=known, after=after, sign=sign)
    return CounterReceipts(counters=await farm.database.read(made))


@router.get(f"{SERVERS}statement", summary="What is between two servers")
async def statement(letter: Signed, farm: Farm) -> Statement:
    """Return this server's book of what is between it and the peer that asks, with all that this one has signed."""
    row = await farm.database.read(partial(book.known, name=letter.sender))
    await account.settle(farm.peering, row, now())
    return await farm.database.read(partial(account.statement, peer=letter.sender))
