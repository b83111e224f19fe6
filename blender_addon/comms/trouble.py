"""The one error of the add-on, in the artist's words."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl


class Trouble(Exception):
    """What went wrong.

    Args:
        message: what happened.
        hint: what to do next.
        code: the server's stable code, `unreachable`, or `stopped`.
        passing: trying again may help.
    """

    def __init__(self, message: str, hint: str = "", code: str = "", *, passing: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.passing = passing

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Stopped(Trouble):
    """The artist stopped it."""

    def __init__(self) -> None:
        super().__init__("Stopped.", code="stopped")


ODD = (KeyError, TypeError, AttributeError, ValueError)
"""What reading an answer raises that is JSON, but not as this version knows it."""


def of_connection(server: str, error: Exception) -> Trouble:
    """Return what an error of a connection means.

    Args:
        server: the server's address.
        error: what http.client, ssl or socket raised.
    """
    host = server.partition("://")[2]
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "If it made its own certificate, name that file in the add-on's preferences."
        return Trouble(f"The certificate of {host} is not trusted: {error.verify_message}.", hint, "unreachable")
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN):
        return Trouble("There is no network.", "Connect this machine, then try again.", "unreachable", passing=True)
    for kind, message, hint, passing in _MEANINGS:
        if isinstance(error, kind):
            return Trouble(message.format(host=host), hint, "unreachable", passing=passing)
    if isinstance(error, http.client.HTTPException):
        return stranger(host)
    return Trouble(f"{host} can't be reached: {error}.", "Check the address, and the network.", "unreachable")


_CHECK = "Check the address, and the network."

_MEANINGS: list[tuple[type[Exception], str, str, bool]] = [
    (ssl.SSLEOFError, "The connection to {host} broke off.", "Try again.", True),
    (ssl.SSLError, "{host} does not speak https.", "Write its address with http://.", False),
    (socket.gaierror, "There is no machine “{host}”.", _CHECK, False),
    (ConnectionRefusedError, "{host} refused.", "Is the server running, and the port right?", True),
    (TimeoutError, "{host} does not answer.", _CHECK, True),
    (ConnectionError, "The connection to {host} broke off.", "Try again.", True),
    (http.client.IncompleteRead, "The connection to {host} broke off.", "Try again.", True),
]
"""What errors of connections mean; the first that fits. (RemoteDisconnected is a ConnectionError.)"""


PARTS = {
    "requires.tags": "Slaves' tags",
    "requires.pool": "Pool",
    "requires.device": "Device",
    "requires.newer": "A newer Blender will do",
    "requires.addons": "Add-ons",
}
"""What the panel calls parts of a request that are not called as they are."""


def of_faults(faults: list[dict[str, str]]) -> Trouble:
    """Return what a request means that the server could not take: which of the panel's fields, and what is allowed.

    Args:
        faults: of the server's answer; each names a part of the request, `requires.tags.1`, and says what is wrong.
    """
    told = [f"{_field(str(fault['member']))}: {fault['message']}." for fault in faults[:3]]
    return Trouble(" ".join(told), "Change it, and try again.", "malformed")


def _field(part: str) -> str:
    """Return a part's name in the panel, and which one of several it is."""
    name, _, last = part.rpartition(".")
    which = f", no. {int(last) + 1}" if last.isdigit() else ""
    name = name if which else part
    return PARTS.get(name, name.rpartition(".")[2].replace("_", " ").capitalize()) + which


def without_server(host: str) -> Trouble:
    """Return the trouble of a proxy whose server is away."""
    return Trouble(f"The server behind {host} does not answer.", "Try again in a while.", "unreachable", passing=True)


def stranger(host: str) -> Trouble:
    """Return the trouble of an answer that is not a server's of ours."""
    hint = "Is this the address of a DistRen server of about this version, and no proxy in between?"
    return Trouble(f"What {host} answers makes no sense here.", hint, "stranger")
