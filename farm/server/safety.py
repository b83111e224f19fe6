"""Refuse to start on settings that are unsafe or contradict each other, and say the mend.

:func:`objections` is pure: the machine's own addresses are passed in.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from farm.server.addresses import ANYWHERE, host_of, is_loopback, is_private, public_addresses
from farm.words.errors import NotASetup
from farm.words.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a server should not start so, and what to do about it."""

    message: str
    mend: str


def check(settings: ServerSettings) -> None:
    """Look at settings and at this machine.

    Raises:
        NotASetup: with everything that is wrong, and the mends.
    """
    own = public_addresses() if settings.host in ANYWHERE else []
    found = [*objections(settings, own), *_files(settings)]
    if found:
        message = " ".join(objection.message for objection in found)
        raise NotASetup(f"The server does not start like this: {message}", hint=" ".join(o.mend for o in found))


def objections(settings: ServerSettings, own_public: Iterable[str]) -> Iterator[Objection]:
    """Say what is unsafe or contradictory.

    Args:
        settings: the server's.
        own_public: public addresses of this machine, if the server listens on all of them.
    """
    yield from _tls(settings)
    yield from _plain(settings, sorted(own_public))
    yield from _strangers(settings)
    yield from _numbers(settings)
    yield from _database(settings)


def _tls(settings: ServerSettings) -> Iterator[Objection]:
    if (settings.ssl_certificate is None) != (settings.ssl_key is None):
        lacking = "ssl_key" if settings.ssl_key is None else "ssl_certificate"
        yield Objection("TLS wants a certificate and its key.", f"Set {lacking}, too.")
    url = urlsplit(settings.public_url)
    if settings.public_url and (url.scheme not in {"http", "https"} or not url.hostname):
        yield Objection(f"public_url “{settings.public_url}” is no URL.", "Write https://farm.example.org.")
    elif url.scheme == "https" and not settings.tls and not settings.behind_proxy:
        yield Objection(
            "public_url is https, but nothing does TLS.",
            "Set ssl_certificate and ssl_key, or behind_proxy=true if your proxy does it.",
        )


def _plain(settings: ServerSettings, own_public: list[str]) -> Iterator[Objection]:
    """Object to passphrases and pictures travelling the internet in the clear."""
    if settings.tls or settings.behind_proxy or settings.plain_http:
        return
    mend = "Set ssl_certificate and ssl_key, or behind_proxy=true if your proxy does TLS"
    if settings.host not in ANYWHERE and not is_private(settings.host):
        yield Objection(f"{settings.host} is a public address, and there is no TLS.", f"{mend}.")
    elif own_public:
        shown = ", ".join(own_public)
        yield Objection(
            f"This machine has a public address ({shown}), and there is no TLS.",
            f"{mend}, or listen on a private address (host), or set plain_http=true behind a firewall.",
        )
    public = host_of(settings.public_url)
    if urlsplit(settings.public_url).scheme == "http" and public and not is_private(public):
        yield Objection(f"public_url {settings.public_url} is public, and not https.", f"{mend}.")


def _strangers(settings: ServerSettings) -> Iterator[Objection]:
    """Object to strangers being treated as a team, or heard in the clear."""
    safe = settings.tls or settings.behind_proxy or settings.plain_http or is_loopback(settings.host)
    if settings.profile == "open" and not safe:
        yield Objection(
            "profile=open is for strangers, and their passphrases would travel in the clear.",
            "Set ssl_certificate and ssl_key, or behind_proxy=true, or plain_http=true if you know your network.",
        )
    if settings.profile == "open" and settings.scripts == "on":
        yield Objection(
            "scripts=on would run strangers' programs on your slaves.", "Set scripts=auto, or profile=studio."
        )
    reachable = settings.tls or settings.behind_proxy or not is_private(host_of(settings.public_url) or "localhost")
    if settings.registration == "open" and settings.profile == "studio" and reachable:
        yield Objection(
            "registration=open lets everybody in, and profile=studio lets everybody handle all jobs.",
            "Set registration=invite, or profile=open.",
        )


def _numbers(settings: ServerSettings) -> Iterator[Objection]:
    if settings.silence_seconds > settings.render_seconds:
        yield Objection(
            "silence_seconds is longer than render_seconds, so it would never count.",
            "Lower silence_seconds, or raise render_seconds.",
        )


def _database(settings: ServerSettings) -> Iterator[Objection]:
    kind = settings.database.split("://", maxsplit=1)[0]
    if settings.database and kind not in {"sqlite", "mysql+pymysql", "mariadb+pymysql"}:
        yield Objection(
            f"“{kind}” is no database of DistRen's.", "Write sqlite:///… or mysql+pymysql://user:password@host/name."
        )


def _files(settings: ServerSettings) -> Iterator[Objection]:
    """Look at files and folders that settings name."""
    for name in ("ssl_certificate", "ssl_key"):
        path: Path | None = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            yield Objection(f"{name} {path} can't be read.", "Name the right file, and let the server's user read it.")
    key = settings.ssl_key
    if key is not None and os.name == "posix" and key.exists() and key.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield Objection(f"Everybody on this machine can read {key}.", f"Run: chmod o= {key}.")
    for folder in (settings.data, settings.storage_folder):
        nearest = next(p for p in (folder, *folder.parents) if p.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK):
            yield Objection(
                f"{nearest} can't be written to.", "Set another folder (data, storage), or its permissions."
            )
            return
