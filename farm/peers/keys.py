"""The server's own keys: Ed25519, in a file that only the server's user can read.

The newest signs. Former ones are kept for peers that were away when the key was changed: what these are told is
signed with the key that they know.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from farm.words.durable import sync_file, sync_folder
from farm.words.errors import NotASetup, Unauthenticated

if TYPE_CHECKING:
    from nacl.signing import SigningKey

FILE = "peering.key"
"""In the server's data folder."""


class KeyRing:
    """A server's keys, made when they are first asked for.

    Args:
        file: where they are.

    Raises:
        NotASetup: every method, if the file can't be read, is damaged, or can't be written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._keys: list[SigningKey] = []
        self._stamp: tuple[int, int] | None = None

    @property
    def public(self) -> bytes:
        """The public key of now."""
        return bytes(self._all()[0].verify_key)

    def sign(self, text: bytes, key: bytes | None = None) -> bytes:
        """Return a signature.

        Args:
            text: what is signed.
            key: the public key of the pair; None, or one that was thrown away: that of now.
        """
        keys = self._all()
        return keys[0 if key is None else self._place(key)].sign(text).signature

    def has(self, key: bytes) -> bool:
        """Tell whether a public key is one of these."""
        return any(bytes(one.verify_key) == key for one in self._all())

    def rotate(self, *, revoke: bool = False) -> bytes:
        """Make a new key, which signs from now on; return the public one.

        Args:
            revoke: throw all former ones away, for somebody else may have them.
        """
        with self._lock:
            self._keys = [_new(), *([] if revoke else self._fresh())]
            self._write()
        return self.public

    def forget_former(self) -> None:
        """Throw away all keys but that of now: everybody knows it."""
        with self._lock:
            if len(self._fresh()) > 1:
                self._keys = self._keys[:1]
                self._write()

    def _place(self, key: bytes) -> int:
        return next((place for place, one in enumerate(self._all()) if bytes(one.verify_key) == key), 0)

    def _all(self) -> list[SigningKey]:
        with self._lock:
            return self._fresh()

    def _fresh(self) -> list[SigningKey]:
        """Return the keys as they are in the file: another process of this server may have changed them."""
        stamp = self._look()
        if not self._keys or (stamp is not None and stamp != self._stamp):
            self._keys, self._stamp = self._read(), stamp
        if not self._keys:
            self._keys = [_new()]
            self._write()
        return self._keys

    def _look(self) -> tuple[int, int] | None:
        """Return what tells one state of the file from another; None: there is none."""
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _read(self) -> list[SigningKey]:
        # Imported here: 4 MB that a server without peers never needs.
        from nacl.signing import SigningKey

        try:
            return [SigningKey(bytes.fromhex(seed)) for seed in json.loads(self._file.read_text("utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            hint = "Put it back from a backup; or delete it, and agree with all peers anew."
            raise NotASetup(f"The server's keys in {self._file} can't be read: {error}.", hint=hint) from error

    def _write(self) -> None:
        try:
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=f".{FILE}.")  # mode 0600
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump([bytes(key).hex() for key in self._keys], stream)
            sync_file(Path(name))
            Path(name).replace(self._file)
            sync_folder(self._file.parent)
            self._stamp = self._look()
        except OSError as error:
            raise NotASetup(f"The server's keys can't be kept in {self._file}: {error}.") from error


def verify(key: bytes, text: bytes, signature: bytes) -> None:
    """Check a signature.

    Raises:
        Unauthenticated: it is not that of the key's owner.
    """
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(key).verify(text, signature)
    except (BadSignatureError, ValueError, TypeError) as error:
        raise Unauthenticated("The signature is wrong.") from error


def fingerprint(key: bytes) -> str:
    """Return what people compare to be sure of a key: its SHA-256, lower-case hex."""
    return hashlib.sha256(key).hexdigest()


def _new() -> SigningKey:
    from nacl.signing import SigningKey

    return SigningKey.generate()
