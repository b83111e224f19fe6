"""What a server announces on its local network, by mDNS and DNS-SD (RFC 6762, RFC 6763).

An instance of :data:`SERVICE` per server, with a TXT record: `name`, `version`, `scheme`, and `url` if
the server is to be reached by another address than that of the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from farm.protocol.base import Answer
from farm.words.errors import BadAddress
from farm.words.names import server_name

SERVICE = "_distren._tcp.local."


class Announced(Answer):
    """A server that announces itself."""

    name: str
    url: str
    version: str = ""

    @classmethod
    def read(cls, txt: Mapping[bytes, bytes | None], host: str, port: int) -> Self | None:
        """Return what a record says; None if it is none of ours. Anybody on the network may write one.

        Args:
            txt: its TXT record.
            host: its address.
            port: its port.
        """
        facts = {
            key.decode("ascii", "replace"): (value or b"").decode("utf-8", "replace") for key, value in txt.items()
        }
        scheme, given = facts.get("scheme", "http"), facts.get("url", "")
        shown = f"[{host}]" if ":" in host else host
        url = given or f"{scheme}://{shown}:{port}"
        try:
            name = server_name(facts.get("name", ""))
        except BadAddress:
            return None
        return (
            cls(name=name, url=url, version=facts.get("version", ""))
            if url.startswith(("http://", "https://"))
            else None
        )


def txt_of(name: str, version: str, url: str, *, public: bool) -> dict[str, str]:
    """Return the TXT record of a server.

    Args:
        name: the server's.
        version: of DistRen.
        url: how others reach it.
        public: that is not by the address in the record.
    """
    facts = {"name": name, "version": version, "scheme": url.partition("://")[0]}
    return {**facts, "url": url} if public else facts
