"""What servers say of themselves and to each other, and what people see of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from farm.protocol.base import Answer, Label
from farm.words.names import SERVER_NAME

PEERING = 1
"""The version of what servers say to each other; it is raised when older ones would misunderstand."""

WELL_KNOWN = "/.well-known/distren"
"""Where a server says who it is (RFC 8615)."""

ServerName = Annotated[
    str,
    BeforeValidator(lambda name: name.strip().lower() if isinstance(name, str) else name),
    StringConstraints(pattern=f"^{SERVER_NAME.pattern}$"),
]
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
