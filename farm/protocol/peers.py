"""What servers say of themselves and to each other, and what people see of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from farm.protocol.base import Answer, Label, Request
from farm.protocol.lending import Borrow, Lend
from farm.words.names import SERVER_NAME

PEERING = 1
"""The version of what servers say to each other; it is raised when older ones would misunderstand."""

WELL_KNOWN = "/.well-known/distren"
"""Where a server says who it is (RFC 8615)."""

ServerName = Annotated[str, StringConstraints(pattern=f"^{SERVER_NAME.pattern}$")]
"""The name of a server."""

PublicKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""An Ed25519 public key, 32 bytes in lower-case hex."""

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$", max_length=1000)]
"""The address of a server, without a slash at its end."""


class ServerCard(Answer):
    """Who a server is, at `/.well-known/distren`: anyone may know it.

    Args:
        name: its unique, constant name.
        addresses: where it is reached, the best first.
        version: of its DistRen.
        peering: the version of what it says to other servers.
        key: its public key: what it says to other servers is signed with the private one.
        methods: what it renders with.
    """

    name: ServerName
    addresses: list[Url] = Field(max_length=10)
    version: Label
    peering: int
    key: PublicKey
    methods: list[Label] = Field(max_length=100)


class PeerState(StrEnum):
    """Whether two servers exchange jobs."""

    ACTIVE = "active"
    """They do."""
    PAUSED = "paused"
    """An admin here lets nothing of the other in for now; what renders goes on."""
    ENDED = "ended"
    """An admin of one of the two has ended it."""


class MakePeerInvite(Request):
    """Make a code by which the server of a name becomes a peer (admins).

    Args:
        name: the other server's.
        address: how that one reaches this server; empty: the server's own idea of it.
        hours: until it expires.
        sees_all: users of the peer see all jobs here, not only their own.
    """

    name: ServerName
    address: Url | None = None
    hours: float = Field(24, gt=0, le=24 * 31)
    sees_all: bool = False


class PeerInviteMade(Answer):
    """A code for the admin of the other server, shown once."""

    code: str
    name: str
    expires: datetime


class AcceptPeer(Request):
    """Become a peer of the server whose admin gave this code (admins).

    Args:
        code: from `distren peers invite` there.
        address: how that one reaches this server; empty: the server's own idea of it.
        sees_all: users of the peer see all jobs here, not only their own.
    """

    code: Annotated[SecretStr, Field(max_length=2000)]
    address: Url | None = None
    sees_all: bool = False


class Introduction(Request):
    """What the server that accepts says to the one that invited it."""

    secret: Annotated[SecretStr, Field(max_length=200)]
    card: ServerCard


class NewKey(Request):
    """A server's new public key; said with the former one, and proved by a signature of the new one.

    Args:
        key: the new one.
        proof: its signature of `distren key`, both servers' names and the key itself, line by line; in hex.
    """

    key: PublicKey
    proof: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]

    @staticmethod
    def proved(sender: str, to: str, key: str) -> bytes:
        """Return what the new key signs."""
        return f"distren key\n{sender}\n{to}\n{key}".encode()


class Rotate(Request):
    """Make new keys (admins). `revoke`: the former ones may be in other hands, and are thrown away at once."""

    revoke: bool = False


class Rotated(Answer):
    """What came of new keys: which peers know them already, and which have to be told, or agreed with anew."""

    fingerprint: str
    told: list[str]
    untold: dict[str, str]


class PeerView(Answer):
    """A peer, as users see it.

    Args:
        away: since when it does not answer.
        latency_seconds: how long it took to answer last.
        fingerprint: of its public key.
        error: what went wrong last; only admins see it.
        lends: on which terms slaves here render for the peer; none: they don't.
        borrows: which jobs here the peer's slaves may render; none: no jobs.
        keeps: why slaves here render nothing more for the peer just now; empty: they do, as it asks.
        lent_frames: frames that slaves here have rendered for it, and `lent_seconds` of processors in all.
        lent_now: slots here that render for it; `borrowed_now`: frames here that its slaves render.
        borrowed_frames: frames that its slaves have rendered here.
        rate: what a minute that it signs for is worth here, by so many `probes`.
        balance: minutes of this server that it owes beyond what this one owes it.
    """

    name: str
    address: str
    state: PeerState
    sees_all: bool
    version: str
    methods: list[str]
    since: datetime
    seen: datetime | None
    away: datetime | None
    latency_seconds: float | None
    fingerprint: str
    error: str = ""
    erred: datetime | None = None
    lends: Lend | None = None
    borrows: Borrow | None = None
    keeps: str = ""
    lent_frames: int = 0
    lent_seconds: float = 0
    lent_now: int = 0
    borrowed_frames: int = 0
    borrowed_now: int = 0
    rate: float = 1
    probes: int = 0
    balance: float = 0
