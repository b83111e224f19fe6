"""Names and addresses: `distren://<server>/<job>/<frame>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from farm.words.errors import BadAddress

SERVER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")
"""Letters and digits, inside it also `.` and `-`, at most 63, lower case."""

PERSON_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?")
"""Users and slaves: short, lower case, safe in a path and on a command line."""

_ADDRESS = re.compile(r"distren://([^/]+)(?:/(\d+)(?:/(\d+))?)?/?")


def server_name(text: str) -> str:
    """Return the server name that a text means, in lower case.

    Raises:
        BadAddress: the text is no server name.
    """
    name = text.strip().lower()
    if not SERVER_NAME.fullmatch(name):
        raise BadAddress(
            f"“{text}” is no server name.",
            hint="Use letters and digits, inside it also '.' and '-', at most 63.",
        )
    return name


def of_peer(name: str) -> bool:
    """Tell whether a user or slave is another server's, by the name that it has here: `ada@home`, or `…~1a2b3c`.

    Long ones are cut. Nobody can be called so by a registration, or a slave by its key.
    """
    return "@" in name or "~" in name


def peer_tag(server: str) -> str:
    """Return the word that all slaves have that a server lends: its name, as far as a word may be long.

    Raises:
        BadAddress: it is no server's name.
    """
    found = PERSON_NAME.match(server_name(server))
    assert found is not None
    return found.group()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server, a job or a frame is found."""

    server: str
    job: int | None = None
    frame: int | None = None

    @classmethod
    def parse(cls, text: str, home: str = "") -> Self:
        """Read an address, or the short forms `12` and `12/3` of the server at home.

        Args:
            text: `distren://home/12/3`, `12/3` or `12`.
            home: the server that the short forms belong to.

        Raises:
            BadAddress: the text is none of these.
        """
        short = re.fullmatch(r"\d+(/\d+)?", text)
        match = _ADDRESS.fullmatch(f"distren://{home or 'home'}/{text}" if short else text)
        if not match:
            raise BadAddress(f"“{text}” is no job or frame.", hint="Write 12, 12/3 or distren://home/12/3.")
        server, job, frame = match.groups()
        return cls(server_name(server), _number(job), _number(frame))

    def __str__(self) -> str:
        parts = [p for p in (self.job, self.frame) if p is not None]
        return "/".join([f"distren://{self.server}", *map(str, parts)])


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
