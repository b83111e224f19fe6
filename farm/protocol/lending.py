"""What servers say of slaves that they lend to each other, and on which terms."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from farm.protocol.base import Answer, Label, PersonName, Request
from farm.protocol.slaves import Hardware, Offer


class Lend(Request):
    """On which terms a server lends its slaves to a peer, when they have nothing to do at home.

    Args:
        slots: the most of its slots that render for the peer at once.
        hours: when, by this server's clock: `mon-fri 18:00-08:00, sat-sun`; empty: always.
        methods: render methods; empty: all.
        idle_only: only while no job of this server has anything left to render, on whichever slave.
        bytes_per_day: the most that is fetched for it and sent back in a day (UTC); 0: no limit.
    """

    slots: int = Field(100_000, ge=1, le=100_000)
    hours: Annotated[str, Field(max_length=200)] = ""
    methods: Annotated[list[Label], Field(max_length=20)] = []
    idle_only: bool = False
    bytes_per_day: int = Field(0, ge=0, le=2**62)


class Borrow(Request):
    """Which jobs a server lets a peer's slaves render.

    Args:
        methods: of these render methods; empty: of all.
        users: of these users; empty: of all.
    """

    methods: Annotated[list[Label], Field(max_length=20)] = []
    users: Annotated[list[Label], Field(max_length=200)] = []


class LentSlave(Request):
    """A slave of a server's, as that one introduces it to the peer for which it may render."""

    name: PersonName
    version: Label
    slots: int = Field(ge=1, le=1024)
    hardware: Hardware
    offers: list[Offer]


class PeerWork(Answer):
    """Whether there may be work for a peer's slaves that was not there before."""

    news: bool
