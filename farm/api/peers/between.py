"""`/api/peering`: what servers say to each other for themselves. Every request is signed; see docs/adr/0011."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, status

from farm.api.dependencies import Farm
from farm.api.peers.letters import INTRODUCTION
from farm.peers import book, introduction
from farm.peers.gate import SERVERS
from farm.protocol.peers import Introduction, NewKey, PeerState, ServerCard
from farm.protocol.signed import Letter
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
