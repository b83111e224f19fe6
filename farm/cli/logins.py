"""The logins that this person has saved: several servers, one of them current.

They are in the file that the setting `tokens` names, mode 0600. A token is as good as
the passphrase until it is revoked.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Self

from pydantic import BaseModel, PrivateAttr, ValidationError

from farm.words.errors import NotASetup


class Saved(BaseModel):
    """One login: the server's own name, the user's, and the token."""

    name: str
    user: str
    token: str


class Logins(BaseModel):
    """All saved logins by the servers' addresses."""

    current: str = ""
    servers: dict[str, Saved] = {}

    _file: Path = PrivateAttr(Path())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the saved logins; none are fine.

        Raises:
            NotASetup: the file is there, but can't be understood.
        """
        try:
            logins = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            logins = cls()
        except ValidationError as error:
            raise NotASetup(f"“{path}” can't be read as logins.", hint="Delete it and log in again.") from error
        logins._file = path
        return logins

    def save(self) -> None:
        """Write the logins so that nobody else can read them, and no half file is ever there."""
        path = self._file
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".logins.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(self.model_dump(), stream, indent=1)
        Path(name).replace(path)

    def add(self, url: str, saved: Saved) -> None:
        """Keep a login and make it the current one."""
        self.servers[url] = saved
        self.current = url
        self.save()

    def remove(self, url: str) -> None:
        """Forget a login; another becomes current if it was."""
        self.servers.pop(url, None)
        if self.current == url:
            self.current = next(iter(self.servers), "")
        self.save()

    def named(self, name: str) -> str | None:
        """Return the address of the server that calls itself by this name, if there is one."""
        return next((url for url, saved in self.servers.items() if saved.name == name), None)
