"""Which addresses strangers can reach."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import psutil

ANYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  (compared with, not bound to)
"""Hosts that mean every address of this machine."""

_HOME = (".local", ".lan", ".home", ".internal", ".localhost", ".home.arpa")
"""Endings of names that mean nothing outside of a local network."""


def is_private(host: str) -> bool:
    """Tell whether a host can only be reached within a local network.

    A name without a dot, or with an ending for local networks, is private; other names
    count as public, whatever they resolve to today.
    """
    bare = host.strip("[]").lower().split("%")[0]
    try:
        return not ipaddress.ip_address(bare).is_global
    except ValueError:
        return "." not in bare or bare.endswith(_HOME)


def is_loopback(host: str) -> bool:
    """Tell whether a host can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def public_addresses() -> list[str]:
    """Return this machine's own IPv4 addresses that the internet could reach.

    IPv6 is left out: there, every machine of a home has such addresses, behind a firewall.
    """
    found = []
    for addresses in psutil.net_if_addrs().values():
        found += [a.address for a in addresses if a.family == socket.AF_INET and not is_private(a.address)]
    return sorted(found)


def host_of(url: str) -> str:
    """Return the host of a URL; empty if it has none."""
    return urlsplit(url).hostname or ""


def own_address() -> str:
    """Return the address under which the local network probably knows this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks which way it would go
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
