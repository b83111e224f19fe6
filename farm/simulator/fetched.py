"""What comes out of a simulated farm, fetched as a user would fetch it."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import OutputFile
from farm.simulator.witness import Witness
from farm.words.errors import DistrenError, Unavailable, Unreachable

MOST = 2000
"""Files whose bytes are fetched: a sample, where there are more."""

TOGETHER = 4
"""Files that are fetched at the same time."""

TRIES = 5
"""Of one file, at a server that is busy or away."""


class Fetched:
    """A fair sample of all files, of which each byte must be as it was sent.

    Args:
        witness: hears what is not so.
        seed: of the choice.
        most: files whose bytes are fetched.
    """

    def __init__(self, witness: Witness, seed: int, most: int = MOST) -> None:
        self.seen = 0
        self.files: list[tuple[FarmClient, int, OutputFile]] = []
        self._witness, self._dice, self._most = witness, Random(f"{seed}/fetched"), most

    @property
    def said(self) -> str:
        """How many were chosen, in words."""
        chosen = len(self.files)
        return f"all {chosen:,}" if chosen == self.seen else f"{chosen:,} of {self.seen:,}, by chance"

    def note(self, client: FarmClient, job: int, files: Sequence[OutputFile]) -> None:
        """Note the files of a job that is done; each of all has the same chance to be fetched."""
        for file in files:
            self.seen += 1
            if len(self.files) < self._most:
                self.files.append((client, job, file))
            elif (place := self._dice.randrange(self.seen)) < self._most:
                self.files[place] = (client, job, file)

    async def compare(self) -> None:
        """Fetch the chosen files, and compare their bytes with their hashes, which slaves sent."""
        gate = asyncio.Semaphore(TOGETHER)
        with tempfile.TemporaryDirectory(prefix="distren-fetched-") as place:

            async def one(number: int) -> None:
                async with gate:
                    await asyncio.to_thread(self._fetch, *self.files[number], Path(place) / str(number))

            await asyncio.gather(*map(one, range(len(self.files))))

    def _fetch(self, client: FarmClient, job: int, file: OutputFile, target: Path) -> None:
        try:
            for last in (*[False] * (TRIES - 1), True):
                with contextlib.suppress(*(() if last else (Unavailable, Unreachable))):
                    client.fetch_file(job, file, target)
                    break
                time.sleep(1)
        except DistrenError as error:
            self._witness.complain(f"The file of frame {file.frame} of job {job} can't be fetched. {error.message}")
        finally:
            target.unlink(missing_ok=True)
