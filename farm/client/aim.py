"""Addresses that somebody else chose: never into the server's own network, unless its admin allows it.

A name is resolved here, and the connection goes to what was looked at: a name that means another machine a moment
later leads nowhere else.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpx

from farm.client.http import context
from farm.words.errors import Forbidden, Unavailable


class Aimed(httpx.HTTPTransport):
    """Connections to where a name leads.

    Args:
        setting: the setting by which an admin allows private networks.
        private: it does.
    """

    def __init__(self, setting: str, *, private: bool) -> None:
        super().__init__(verify=_trusted())
        self._setting, self._private = setting, private

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the address that was looked at."""
        host, port = request.url.host, port_of(request.url)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise no_host(host) from error
        aim(request, chosen(found, host, self._setting, private=self._private))
        return super().handle_request(request)


class AimedAsync(httpx.AsyncHTTPTransport):
    """The same, for :class:`httpx.AsyncClient`; see :class:`Aimed`."""

    def __init__(self, setting: str, *, private: bool) -> None:
        super().__init__(verify=_trusted())
        self._setting, self._private = setting, private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the address that was looked at."""
        host = request.url.host
        aim(request, await resolved(host, port_of(request.url), self._setting, private=self._private))
        return await super().handle_async_request(request)


@cache
def _trusted() -> ssl.SSLContext:
    """Return what is known of certificates; reading it takes as long as many requests."""
    return context(verify=True)


async def resolved(host: str, port: int, setting: str, *, private: bool) -> str:
    """Return the first address of a host.

    Raises:
        Forbidden: it is none of the internet's.
        Unavailable: there is no such host.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise no_host(host) from error
    return chosen(found, host, setting, private=private)


def chosen(found: Iterable[tuple[Any, ...]], host: str, setting: str, *, private: bool) -> str:
    """Return the first of a host's addresses that may be called.

    Raises:
        Forbidden: none may.
    """
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    allowed = [one for one in addresses if private or _public(one)]
    if not allowed:
        raise Forbidden(
            f"{host[:100]} is in a private network, to which this server sends nothing.",
            hint=f"An admin can allow it: {setting} = true.",
        )
    return allowed[0]


def aim(request: httpx.Request, address: str) -> None:
    """Let a request go to an address; its host's name stays in the headers, and in TLS."""
    request.extensions = {**request.extensions, "sni_hostname": request.url.host}
    request.url = request.url.copy_with(host=address)


def port_of(url: httpx.URL) -> int:
    """Return the port of an address."""
    return url.port or (443 if url.scheme == "https" else 80)


def no_host(host: str) -> Unavailable:
    """Return the error of a name that leads nowhere."""
    return Unavailable(f"There is no host {host[:100]}.")


_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that the internet routes."""

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""Where a network without IPv4 shows it (NAT64): the last four bytes are the address that is meant."""


def _public(address: str) -> bool:
    """Tell whether an address is one of the internet's; one of IPv4 inside of IPv6 counts as what it leads to."""
    found = ipaddress.ip_address(address)
    meant = _inner(found) if isinstance(found, ipaddress.IPv6Address) else found
    if isinstance(meant, ipaddress.IPv6Address) and meant not in _UNICAST:
        return False
    return meant.is_global and not meant.is_multicast


def _inner(found: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if found in _TRANSLATED:
        return ipaddress.IPv4Address(found.packed[-4:])
    return found.ipv4_mapped or found.sixtofour or found
