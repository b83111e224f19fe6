"""Addresses that somebody else chose lead into the internet, or nowhere: whatever they are written as."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from farm.client import aim
from farm.client.aim import Aimed, chosen
from farm.client.webhook import post
from farm.words.errors import DistrenError, Forbidden, Malformed

INSIDE = {
    "this machine": "127.0.0.1",
    "all of this machine": "0.0.0.0",
    "a studio's network": "192.168.1.7",
    "a provider's network": "100.64.0.1",
    "link-local, where clouds keep keys": "169.254.169.254",
    "this machine, IPv6": "::1",
    "unspecified": "::",
    "link-local, IPv6": "fe80::1%eth0",
    "unique local": "fd12:3456::1",
    "mapped": "::ffff:127.0.0.1",
    "mapped, link-local": "::ffff:a9fe:a9fe",
    "compatible": "::7f00:1",
    "6to4": "2002:7f00:1::",
    "NAT64": "64:ff9b::a9fe:a9fe",
    "NAT64 of one's own": "64:ff9b:1::7f00:1",
    "Teredo": "2001:0:7f00:1::",
    "site-local": "fec0::1",
    "multicast": "224.0.0.251",
    "multicast, IPv6": "ff02::1",
    "documentation": "203.0.113.1",
    "discard": "100::1",
}


def found(*addresses: str) -> list[tuple[Any, ...]]:
    return [(0, 0, 0, "", (address, 80)) for address in addresses]


@pytest.mark.parametrize("address", INSIDE.values(), ids=INSIDE)
def test_nothing_leads_inside(address: str) -> None:
    with pytest.raises(Forbidden):
        chosen(found(address), "evil.example", "notify_private", private=False)
    assert chosen(found(address), "x", "notify_private", private=True)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1", "2002:101:101::"]
)
def test_what_is_of_the_internet_is_called(address: str) -> None:
    assert chosen(found(address), "good.example", "notify_private", private=False) == address
    assert chosen(found("10.0.0.1", address), "good.example", "notify_private", private=False) == address


@pytest.fixture
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """Something inside, which should hear nothing."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    with server.accept()[0] as made:
                        heard.append(made.recv(1000))
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_name_that_means_another_machine_a_moment_later_leads_nowhere(
    listening: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, heard = listening
    asked: list[str] = []

    def rebinding(host: str, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        address = "1.1.1.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    called: list[str] = []

    def refused(_self: Any, request: httpx.Request) -> httpx.Response:
        called.append(request.url.host)
        raise httpx.ConnectError("not from here")

    monkeypatch.setattr(aim.socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refused)
    with httpx.Client(transport=Aimed("peer_private", private=False)) as http, pytest.raises(httpx.ConnectError):
        http.get(f"http://rebinding.example:{port}/")
    assert (called, asked, heard) == (["1.1.1.1"], ["rebinding.example"], [])


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/",
        "http://good.example@127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0x7f.1:{port}/",
        "http://0:{port}/",
        "http://[fe80::1%25lo]:{port}/",
        "http://127.0.0.1:{port}/\x01",
        "http://[::1/",
        "http://x:99999/",
        "http://" + "a" * 300 + "/",
        "http://.../",
        "gopher://127.0.0.1:{port}/",
    ],
)
def test_a_webhook_inside_or_of_nonsense_is_refused_in_words(listening: tuple[int, list[bytes]], address: str) -> None:
    port, heard = listening
    with pytest.raises((DistrenError, ValueError)):  # which the notifier tells its owner
        asyncio.run(post(address.format(port=port), b"{}", {}, private=False))
    assert heard == []


def test_an_address_that_no_library_takes_is_refused_in_words(listening: tuple[int, list[bytes]]) -> None:
    port, heard = listening
    with pytest.raises(Malformed):
        asyncio.run(post(f"http://127.0.0.1:{port}/\x01", b"{}", {}, private=True))
    assert heard == []
