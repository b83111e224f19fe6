"""Passphrases: argon2id, in threads of their own, so that no request waits for another's login."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

THREADS = 2
"""Hashes at the same time; each takes tens of ms and `_MEMORY` of memory."""

_MEMORY = 19 * 1024
"""KiB per hash: OWASP's smallest recommendation, which keeps a small server small."""


class Passphrases:
    """Hash and verify passphrases."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=3, memory_cost=_MEMORY, parallelism=1)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passphrase")
        self._decoy = ""

    async def hash(self, passphrase: str) -> str:
        """Return what is kept of a passphrase."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, passphrase)

    async def verify(self, kept: str | None, passphrase: str) -> bool:
        """Tell whether a passphrase is the right one.

        Args:
            kept: from :meth:`hash`; None where there is no such user, which takes as long.
            passphrase: what the person typed.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._verify, kept, passphrase)

    def _verify(self, kept: str | None, passphrase: str) -> bool:
        # Also for a known name: else the first unknown one would take longer.
        self._decoy = self._decoy or self._hasher.hash("nobody's")
        try:
            self._hasher.verify(kept or self._decoy, passphrase)
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)
