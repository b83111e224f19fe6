"""From `--server`, the environment and saved logins to a client that may talk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from farm.cli.logins import Logins
from farm.cli.output import interactive
from farm.client.discovery import by_name, located
from farm.client.farmclient import FarmClient
from farm.client.peercalls import PeerCalls
from farm.words.errors import BadAddress, DistrenError, NeedsConfirmation, NotASetup
from farm.words.names import SERVER_NAME, Address
from farm.words.ranges import FrameRange
from farm.words.settings import DEFAULT_PORT, ClientSettings, load

T = TypeVar("T")


def connect(server: str | None, *, login: bool = True) -> FarmClient:
    """Return a client for the server that is meant, with the saved token of it.

    Args:
        server: what `--server` says; None: DISTREN_SERVER, the settings file, or the current login.
        login: False for verbs that need no token.

    Raises:
        NotASetup: no server is known, or there is no login for this one.
    """
    logins = saved_logins()
    if login and server and (peer := through_home(server, logins)):
        return peer
    return FarmClient(*_door(client_settings(server), logins, login=login))


def _door(settings: ClientSettings, logins: Logins, *, login: bool) -> tuple[str, str | None, bool | str]:
    """Return a server's address, the token for it, and how its certificate is checked."""
    url = address(settings, logins)
    saved = logins.servers.get(url)
    token = settings.token.get_secret_value() or (saved.token if saved else None)
    if login and not token:
        hint = f"Run `distren login --server {url}`, or `distren register` for a new account."
        raise NotASetup(f"You are not logged in to {url}.", hint=hint)
    return located(url), token, str(settings.certificate) if settings.certificate else True


def through_home(server: str, logins: Logins) -> FarmClient | None:
    """Return a client for a peer of the server that the person is logged in to, which acts for them there.

    None: a login of theirs, or the address of a server, is meant. `annex` is a peer before it is a host of the
    local network; that is `http://annex:8282`.
    """
    name, settings = server.removeprefix("distren://").rstrip("/").lower(), client_settings()
    if not SERVER_NAME.fullmatch(name) or logins.named(name) or not (settings.server or logins.current):
        return None
    try:
        url, token, verify = _door(settings, logins, login=True)
        with FarmClient(url, token, verify) as home:
            if all(one.name != name for one in PeerCalls(home).peers()):
                return None
    except DistrenError:  # whatever it is: the server may be meant by its address
        return None
    return FarmClient(f"{url}/api/peers/{name}/via", token, verify)


def client_settings(server: str | None = None, blender: Path | None = None) -> ClientSettings:
    """Return the settings of this person's commands.

    Args:
        server: what `--server` says.
        blender: what `--blender` says.
    """
    return load(ClientSettings, server=server, blender=[str(blender)] if blender else None)


def saved_logins() -> Logins:
    """Return this person's saved logins."""
    return Logins.load(client_settings().tokens)


def address(settings: ClientSettings, logins: Logins) -> str:
    """Return the address of the server that is meant.

    Raises:
        NotASetup: none is known.
    """
    if settings.server:
        return logins.named(settings.server) or tidy(settings.server)
    if logins.current:
        return logins.current
    hint = "`distren servers` looks for one; then `distren login --server URL`. Or try `distren demo` first."
    raise NotASetup("No server is known here.", hint=hint)


def tidy(server: str) -> str:
    """Return an address as `scheme://host:port` from what a person wrote; `distren://name` stays.

    Raises:
        BadAddress: it can't be one.
    """
    if by_name(server):
        return str(Address(Address.parse(server).server))
    parts = urlsplit(server if "://" in server else f"http://{server}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise BadAddress(f"“{server}” is no server's address.", hint="Write http://host:8282 or https://host.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = port or (DEFAULT_PORT if parts.scheme == "http" else None)
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "") + parts.path.rstrip("/")


def number_of(text: str) -> int:
    """Return the number of the job that an address names.

    Raises:
        BadAddress: it names none.
    """
    job = Address.parse(text).job
    if job is None:
        raise BadAddress(f"“{text}” names no job.", hint="Write 12 or distren://home/12.")
    return job


class Target:
    """A job or frame that a person named, and a client for the server that has it.

    Args:
        text: `12`, `12/3` or `distren://server/12/3`.
        server: what `--server` says; None: the named server's login, or the current one.
    """

    def __init__(self, text: str, server: str | None) -> None:
        self.address = Address.parse(text)
        self.job = number_of(text)
        self.client = connect(server) if server or "://" not in text else _of(self.address.server)

    @classmethod
    def of_job(cls, text: str, server: str | None) -> Target:
        """Return a job that a person named, for what is done to whole jobs only.

        Raises:
            BadAddress: they named a frame: doing it to all of them is not what they mean.
        """
        address = Address.parse(text)
        if address.frame is not None:
            whole = text.rstrip("/").rpartition("/")[0]
            raise BadAddress(f"“{text}” is a frame, and this is done to jobs only.", hint=f"Write {whole}.")
        return cls(text, server)

    def frames(self, given: str | None) -> FrameRange | None:
        """Return the frames that are meant: that of the address, else those of `--frames`; None: all.

        Raises:
            BadAddress: both are given.
        """
        if self.address.frame is None:
            return None if given is None else FrameRange.parse(given)
        if given is not None:
            raise BadAddress(f"{self.address} is a frame, and --frames names others.", hint="Say one of them.")
        return FrameRange.of([self.address.frame])

    @property
    def frame(self) -> int:
        """The frame's number.

        Raises:
            BadAddress: only a job was named.
        """
        if self.address.frame is None:
            raise BadAddress(f"“{self.job}” names a job, no frame.", hint=f"Write {self.job}/1.")
        return self.address.frame


def _of(name: str) -> FarmClient:
    """Return a client for the server of a name: one that the person is logged in to, or a peer of theirs."""
    logins = saved_logins()
    found = connect(url) if (url := logins.named(name)) else through_home(name, logins)
    if found is None:
        hint = "Log in to it (distren login --server URL); or an admin of yours exchanges jobs with it (distren peers)."
        raise NotASetup(f"The server “{name}” is not known here.", hint=hint)
    return found


def confirmed(action: Callable[[bool], T], *, yes: bool) -> T:
    """Do something to a job; if it is another user's, ask the person once.

    Args:
        action: does it; its argument says whether the person has agreed.
        yes: agreed beforehand, on the command line.

    Raises:
        NeedsConfirmation: the person said no, or can't be asked.
    """
    import typer

    try:
        return action(yes)
    except NeedsConfirmation as error:
        if not interactive():
            raise NeedsConfirmation(error.message, hint="Say --yes if you mean it.", **error.facts) from error
        if not typer.confirm(f"{error.message} Go on?", err=True):
            raise
        return action(True)
