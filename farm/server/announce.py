"""Announce the server on its local network, so that slaves and people find it by its name."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psutil
import structlog
from zeroconf import Error, InterfaceChoice, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from farm import __version__
from farm.protocol.discovery import SERVICE, txt_of
from farm.server.addresses import ANYWHERE, is_loopback
from farm.words.settings import ServerSettings

log = structlog.get_logger(__name__)


@asynccontextmanager
async def announced(settings: ServerSettings, name: str, url: str, port: int) -> AsyncIterator[None]:
    """Announce a server while the block runs; without a network, or with `announce = false`, do nothing.

    Args:
        settings: the server's.
        name: the server's.
        url: how others reach it.
        port: that it listens on.
    """
    addresses = reached(settings.host)
    network = await _network(addresses) if settings.announce and addresses else None
    if network is None:
        yield
        return
    try:
        info = _info(settings, name, url, port, addresses)
        # Another server of this name gets another instance; the name in the record stays, and tells.
        await network.async_register_service(info, allow_name_change=True, strict=False)
        log.info("The server is announced on the local network.", name=name, addresses=addresses)
    except (OSError, Error) as error:
        log.warning("The server can't be announced on the local network.", reason=str(error) or type(error).__name__)
    try:
        yield
    finally:
        await network.async_unregister_all_services()
        await network.async_close()


def reached(host: str) -> list[str]:
    """Return the IPv4 addresses by which machines nearby reach a server that listens on a host."""
    if host not in ANYWHERE:
        return [] if is_loopback(host) or ":" in host else [host]
    every = [a.address for found in psutil.net_if_addrs().values() for a in found if a.family == socket.AF_INET]
    return [address for address in every if not is_loopback(address)]


async def _network(addresses: list[str]) -> AsyncZeroconf | None:
    try:
        return AsyncZeroconf(interfaces=addresses or InterfaceChoice.Default, ip_version=IPVersion.V4Only)
    except OSError as error:
        log.warning("The server can't be announced on the local network.", reason=str(error))
        return None


def _info(settings: ServerSettings, name: str, url: str, port: int, addresses: list[str]) -> AsyncServiceInfo:
    # A dot would begin another label.
    label = name.replace(".", "-")
    return AsyncServiceInfo(
        SERVICE,
        f"{label}.{SERVICE}",
        port=urlsplit(url).port or port if settings.public_url else port,
        properties=txt_of(name, __version__, url, public=bool(settings.public_url)),
        server=f"{label}.distren.local.",
        addresses=[socket.inet_aton(address) for address in addresses if _is_ip(address)],
    )


def _is_ip(address: str) -> bool:
    try:
        socket.inet_aton(address)
    except OSError:
        return False
    return True
