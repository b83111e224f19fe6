"""Test frames in a process of their own, beside the slave, by any version of DistRen that is here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from farm.sandbox.process import Order
from farm.sandbox.wipe import wipe
from farm.slave.beside import last_word
from farm.slave.folders import Folders
from farm.slave.versions import Versions
from farm.words.errors import NotASetup
from farm.words.settings import SlaveSettings

TRIAL = 3600.0
"""Seconds that the test frames may take, all together."""


async def tried(settings: SlaveSettings, folders: Folders, version: str = "") -> dict[str, Any]:
    """Render test frames; return what the trial said (:mod:`farm.slave.trial`).

    Args:
        settings: the slave's.
        folders: the slave's.
        version: the folder of the version that tries it; empty: the installed one.

    Raises:
        NotASetup: it does not run here, or takes too long.
    """
    folder = folders.state / "trial"
    wipe(folder)
    folder.mkdir()
    given = settings.model_dump(mode="json", exclude_unset=True, exclude={"password"})
    (folder / "settings.json").write_text(json.dumps(given), encoding="utf-8")
    argv = [sys.executable, "-P", "-m", "farm.slave.trial", str(folder / "settings.json"), str(folder)]
    environment = Versions.of(settings).environment(version)
    try:
        async with asyncio.timeout(TRIAL):
            order = Order(argv, environment, folder, folder / "log", settings.nice)
            said = await last_word(order, folders.records())
        if said is None:
            raise NotASetup(f"The test does not run here: {_end(folder / 'log')}")
    except TimeoutError as error:
        raise NotASetup(f"The test frame took longer than {TRIAL:.0f} seconds.") from error
    else:
        return said
    finally:
        await asyncio.to_thread(wipe, folder)


def _end(log: Path) -> str:
    """Return the last line of a log."""
    with contextlib.suppress(OSError, IndexError):
        return log.read_text("utf-8", "replace").strip().splitlines()[-1][:500]
    return "it said nothing."
