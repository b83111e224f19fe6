"""Slow down those who guess: wrong tries are counted per name and address.

Counts are per process and in memory: a restart forgives, and a guesser gains little by it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from farm.words.clock import SECOND
from farm.words.errors import TooManyRequests

WINDOW = 300 * SECOND
"""µs after which wrong tries are forgotten."""

REMEMBERED = 10_000
"""The most names and addresses that are remembered, so that a flood costs bounded memory."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How many wrong tries a window allows: of one name from one address, from one address, of one name.

    Beyond the last, each address has one try instead of five.
    """

    pair: int = 5
    address: int = 30
    name: int = 100


@dataclass(slots=True)
class _Tries:
    count: int
    since: int


@dataclass(slots=True)
class Throttle:
    """Wrong tries of the last minutes."""

    limit: Limit = field(default_factory=Limit)
    _tries: OrderedDict[tuple[str, str], _Tries] = field(default_factory=OrderedDict)

    def check(self, name: str, address: str, at: int) -> None:
        """Let a try on, or not; right or wrong is not known yet.

        Args:
            name: the account or key that is tried.
            address: where the try comes from.
            at: now, µs.

        Raises:
            TooManyRequests: too many wrong ones before.
        """
        for key, most in self._keys(name, address):
            tries = self._current(key, at)
            if key == (name, "") and self._current((name, address), at) is None:
                continue  # one try from each address is left always: else others could lock the owner out
            if tries and tries.count >= most:
                wait = max(1, (tries.since + WINDOW - at) // SECOND)
                raise TooManyRequests(
                    "Too many wrong passphrases.", hint=f"Try again in {wait} seconds.", retry_after=wait
                )

    def wrong(self, name: str, address: str, at: int) -> None:
        """Count a wrong try."""
        for key, _most in self._keys(name, address):
            tries = self._current(key, at) or _Tries(0, at)
            tries.count += 1
            self._tries[key] = tries
            self._tries.move_to_end(key)
        while len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)

    def right(self, name: str, address: str) -> None:
        """Forgive a name from an address: the person has remembered."""
        self._tries.pop((name, address), None)

    def _keys(self, name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return ((name, address), self.limit.pair), (("", address), self.limit.address), ((name, ""), self.limit.name)

    def _current(self, key: tuple[str, str], at: int) -> _Tries | None:
        tries = self._tries.get(key)
        if tries and abs(at - tries.since) >= WINDOW:  # nobody is locked out until a clock that was put back is there
            del self._tries[key]
            return None
        return tries
