"""What servers say of slaves that they lend to each other, and on which terms."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

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
        minutes: reference minutes that the peer may owe beyond what it has worked off; 0: no limit.
    """

    slots: int = Field(100_000, ge=1, le=100_000)
    hours: Annotated[str, Field(max_length=200)] = ""
    methods: Annotated[list[Label], Field(max_length=20)] = []
    idle_only: bool = False
    bytes_per_day: int = Field(0, ge=0, le=2**62)
    minutes: float = Field(0, ge=0, le=1e9)


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


class AskReceipts(Request):
    """For which attempts receipts are wanted."""

    attempts: list[Annotated[int, Field(ge=0, le=2**62)]] = Field(max_length=500)


class Receipt(Answer):
    """What a server owes for one frame that a slave of the peer's rendered, signed.

    Args:
        milli: thousandths of reference minutes.
        signature: of `distren receipt`, who owes, to whom, the attempt and what is owed, line by line; in hex.
    """

    attempt: int
    milli: int = Field(ge=0, le=2**62)
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]

    @staticmethod
    def text(debtor: str, creditor: str, attempt: int, milli: int) -> bytes:
        """Return what is signed."""
        return f"distren receipt\n{debtor}\n{creditor}\n{attempt}\n{milli}".encode()

    def signed(self, debtor: str, creditor: str) -> bytes:
        """Return what the signature is of."""
        return self.text(debtor, creditor, self.attempt, self.milli)


class CounterReceipt(Answer):
    """What a server owes no more for a frame that was rendered falsely, signed by it.

    Args:
        milli: thousandths of reference minutes, of those that the frame's receipt says.
        why: in words.
        signature: of `distren counter-receipt`, who owed, whom, the attempt, the amount and why, line by line; in hex.
    """

    attempt: int
    milli: int = Field(ge=0, le=2**62)
    why: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\n]*$")]
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]

    @staticmethod
    def text(debtor: str, creditor: str, attempt: int, milli: int, why: str) -> bytes:
        """Return what is signed."""
        return f"distren counter-receipt\n{debtor}\n{creditor}\n{attempt}\n{milli}\n{why}".encode()

    def signed(self, debtor: str, creditor: str) -> bytes:
        """Return what the signature is of."""
        return self.text(debtor, creditor, self.attempt, self.milli, self.why)


class CounterReceipts(Answer):
    """Counter-receipts in the order of attempts, some at a time; none if the one who asks has as many as there are."""

    counters: list[CounterReceipt]


class Receipts(Answer):
    """Receipts for those of the attempts for which something is owed."""

    receipts: list[Receipt]


class Statement(Answer):
    """One server's book of what is between it and a peer: frames that counted, and thousandths of reference minutes.

    Args:
        lent_frames: that its slaves rendered, by receipts of the peer's; `lent_milli`: what the peer owes for them.
        owed_frames: that the peer's slaves rendered here, by its own ledger; `owed_milli`: what it owes for them.
        lent_back: of what was lent, taken back for false results by counter-receipts; `owed_back`: by its own ledger.
    """

    lent_frames: int
    lent_milli: int
    owed_frames: int
    owed_milli: int
    lent_back: int = 0
    owed_back: int = 0


class TradeDay(Answer):
    """What was between this server and a peer on one day (UTC).

    Args:
        lent_frames: that slaves here rendered for it; `lent_minutes`: what it signed for them.
        borrowed_frames: that its slaves rendered here; `borrowed_minutes`: what this server owes for them.
    """

    day: date
    lent_frames: int = 0
    lent_minutes: float = 0
    borrowed_frames: int = 0
    borrowed_minutes: float = 0


class PeerAudit(Answer):
    """Two servers' books, side by side.

    Args:
        without_receipt: attempts (the peer's numbers) that it took, and has signed nothing for yet; 500 at most.
        forged: attempts whose kept receipts, or counter-receipts, are not what the peer signed.
    """

    peer: str
    ours: Statement
    theirs: Statement
    without_receipt: list[int]
    forged: list[int]

    @property
    def agree(self) -> bool:
        """Both say the same, and each frame has its receipt."""
        ours, theirs = self.ours, self.theirs
        lent = (ours.lent_frames, ours.lent_milli, ours.lent_back)
        owed = (ours.owed_frames, ours.owed_milli, ours.owed_back)
        same = lent == (theirs.owed_frames, theirs.owed_milli, theirs.owed_back)
        same &= owed == (theirs.lent_frames, theirs.lent_milli, theirs.lent_back)
        return same and not self.without_receipt and not self.forged
