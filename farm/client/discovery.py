"""Find servers on the local network by what they announce. Asking tells nobody anything but that somebody asks."""

from __future__ import annotations

import threading
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceListener, Zeroconf

from farm.protocol.discovery import SERVICE, Announced
from farm.words.errors import Conflict, Unreachable
from farm.words.names import Address

SCHEME = "distren://"
"""Addresses of servers that are found by their name."""

SECONDS = 3.0
"""How long answers are waited for: they come within moments, but some get lost on wireless networks."""


def by_name(address: str) -> bool:
    """Tell whether an address names a server that has to be looked for."""
    return address.startswith(SCHEME)


def servers(seconds: float = SECONDS, wanted: str = "") -> list[Announced]:
    """Return the servers that announce themselves on this network, by name.

    Args:
        seconds: for how long answers are waited for.
        wanted: the name of the one that matters: with it, the search ends soon after it was found.
    """
    listener = _Listener(wanted)
    try:
        asking = Zeroconf(ip_version=IPVersion.V4Only)
    except OSError:
        return []  # no network at all
    try:
        browser = ServiceBrowser(asking, SERVICE, listener)
        if listener.found.wait(seconds):
            time.sleep(_MORE)
        browser.cancel()
    finally:
        asking.close()
    return sorted(listener.servers.values(), key=lambda server: (server.name, server.url))


_MORE = 0.5
"""Seconds in which another server may say that it has the wanted name, too."""


def find(name: str, seconds: float = SECONDS) -> Announced:
    """Return the server that announces itself by a name.

    Raises:
        Unreachable: none does.
        Conflict: several do, at different addresses: nobody can know which is meant.
    """
    found = servers(seconds, name)
    here = {server.url: server for server in found if server.name == name}
    if len(here) > 1:
        text = f"Several servers on this network call themselves “{name}”: {', '.join(here)}."
        raise Conflict(text, hint="Name the one that you mean by its address.")
    if not here:
        others = ", ".join(dict.fromkeys(server.name for server in found))
        hint = f"There are: {others}." if others else "Is it running, and on this network? `distren servers` looks."
        raise Unreachable(f"No server on this network calls itself “{name}”.", hint=hint)
    return next(iter(here.values()))


def located(address: str) -> str:
    """Return where a server is now: `distren://name` is looked for, other addresses say it.

    Raises:
        Unreachable, Conflict: it was not found, or several were.
        BadAddress: it is no server's address.
    """
    return find(Address.parse(address).server).url if by_name(address) else address


class _Listener(ServiceListener):
    """Hears of servers, in zeroconf's own thread."""

    def __init__(self, wanted: str) -> None:
        self.servers: dict[str, Announced] = {}
        self.found = threading.Event()
        self._wanted = wanted

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Note a server that announced itself; zeroconf calls this by its name."""
        info = zc.get_service_info(type_, name, timeout=2000)
        if info is None or info.port is None:
            return
        for host in info.parsed_addresses(IPVersion.V4Only)[:1]:
            server = Announced.read(info.properties, host, info.port)
            if server is not None:
                self.servers[name] = server
                if server.name == self._wanted:
                    self.found.set()

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.servers.pop(name, None)
