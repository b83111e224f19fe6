"""Servers that announce themselves on the local network: one multicast question (mDNS), no word to any server.

The question comes from a port of its own, so that the answers come back to it alone (RFC 6762, 6.7).
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .trouble import Trouble

SERVICE = "_distren._tcp.local"
GROUP = ("224.0.0.251", 5353)
SECONDS = 3.0
"""How long answers are waited for."""

AGAIN = 1.0
"""Seconds after which it is asked once more: questions get lost on wireless networks."""

SENSELESS = (ValueError, IndexError, struct.error)
"""What reading an answer raises that is none."""

_A, _PTR, _TXT, _SRV = 1, 12, 16, 33
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_MOST = 50
"""Servers that are shown; anybody on the network may claim to be one."""


@dataclass(frozen=True)
class Server:
    """A server that announces itself."""

    name: str
    url: str
    version: str


def look(seconds: float = SECONDS) -> list[Server]:
    """Return the servers of this network, by name.

    Raises:
        Trouble: there is no network.
    """
    found: dict[str, Server] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        for data in _answers(asking, seconds):
            # What makes no sense is another program's.
            with contextlib.suppress(*SENSELESS):
                found.update((server.url, server) for server in _read(data))
    return sorted(found.values(), key=lambda server: (server.name, server.url))[:_MOST]


def _answers(asking: socket.socket, seconds: float) -> Iterator[bytes]:
    began, asked = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        if passed >= asked * AGAIN and asked < 2:
            _ask(asking)
            asked += 1
        asking.settimeout(min(0.2, seconds - passed))
        with contextlib.suppress(TimeoutError, ConnectionError):
            yield asking.recv(9000)


def _ask(asking: socket.socket) -> None:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in SERVICE.split("."))
    question = struct.pack(">6H", 0, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", _PTR, 1)
    asked = 0
    for number, _ in socket.if_nameindex():
        with contextlib.suppress(OSError):  # one that is down, or that has no address
            asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, _interface(number))
            asked += asking.sendto(question, GROUP)
    if not asked:
        raise Trouble("There is no network.", "Connect this machine, then look again.", "unreachable")


def _interface(number: int) -> bytes:
    """Return an interface as the system wants it named; Windows takes its number for an address."""
    if sys.platform == "win32":
        return struct.pack(">I", number)
    return struct.pack("@4s4si", socket.inet_aton(GROUP[0]), socket.inet_aton("0.0.0.0"), number)  # noqa: S104  whichever it has


def _read(data: bytes) -> Iterator[Server]:
    """Yield the servers of one answer."""
    addresses: dict[str, str] = {}
    places: dict[str, tuple[str, int]] = {}
    facts: dict[str, dict[str, str]] = {}
    for name, kind, begin, end in _records(data):
        if kind == _A and end - begin == 4:
            addresses[name] = socket.inet_ntoa(data[begin:end])
        elif kind == _SRV:
            places[name] = (_name(data, begin + 6)[0], struct.unpack_from(">H", data, begin + 4)[0])
        elif kind == _TXT:
            facts[name] = dict(_facts(data[begin:end]))
    for instance, (host, port) in places.items():
        if instance.endswith(f".{SERVICE}") and host in addresses:
            server = _server(facts.get(instance, {}), addresses[host], port)
            if server is not None:
                yield server


def _server(facts: dict[str, str], host: str, port: int) -> Server | None:
    url = facts.get("url") or f"{facts.get('scheme', 'http')}://{host}:{port}"
    right = url.startswith(("http://", "https://")) and url.isprintable() and len(url) <= 200
    name = facts.get("name", "")
    return Server(name, url, facts.get("version", "")[:20]) if right and _NAME.fullmatch(name) else None


def _records(data: bytes) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, kind, begin and end of the content of all records."""
    _, _, questions, *counts = struct.unpack_from(">6H", data)
    at = 12
    for _ in range(questions):
        at = _name(data, at)[1] + 4
    for _ in range(sum(counts)):
        name, at = _name(data, at)
        kind, _, _, length = struct.unpack_from(">2HIH", data, at)
        yield name, kind, at + 10, at + 10 + length
        at += 10 + length


def _name(data: bytes, at: int) -> tuple[str, int]:
    """Return the name at a place, and where it ends; it may go on at an earlier place."""
    labels: list[str] = []
    end, limit = 0, at
    while length := data[at]:
        if length >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from(">H", data, at)[0] & 0x3FFF
            if at >= limit:
                raise ValueError("a name that runs in circles")
            limit = at
            continue
        labels.append(data[at + 1 : at + 1 + length].decode("utf-8", "replace").lower())
        at += 1 + length
    return ".".join(labels), end or at + 1


def _facts(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(data):
        key, _, value = data[at + 1 : at + 1 + data[at]].decode("utf-8", "replace").partition("=")
        yield key, value
        at += 1 + data[at]
