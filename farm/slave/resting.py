"""When a workstation rests: outside of its hours, while somebody is at it, and when its owner says so."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from farm.slave.atkeyboard import AtKeyboard
from farm.words.errors import BadSetting
from farm.words.hours import Hours
from farm.words.settings import SlaveSettings

LOOK = 2.0
"""Seconds between two looks."""

UNTIL = "rest-until"
"""In the slave's state folder: the time (Unix, seconds) until which its owner wants it to rest; `now`: at once."""

AT_ONCE = "now"

LONGEST = 200
"""Characters of the hours in words."""


class Resting:
    """Knows whether this machine rests, and tells when that changes.

    Args:
        settings: hours, time zone, minutes without input.
        state: the slave's folder, in which a person's word lies.
        tell: is told why the machine rests from now on; an empty text: it does not any more.
        now: the time, Unix seconds.

    Raises:
        BadSetting: the hours or the time zone can't be read.
    """

    def __init__(
        self,
        settings: SlaveSettings,
        state: Path,
        tell: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._hours = Hours.parse(settings.hours)
        self._zone = _zone(settings.zone)
        self._away = settings.away_minutes * 60
        self._keyboard = AtKeyboard(settings.input_devices) if self._away else None
        self._file = state / UNTIL
        self._tell = tell
        self._now = now
        self.reason = ""
        self.at_once = False
        """Its owner wants it at once: frames are not finished."""

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        try:
            while True:
                await asyncio.to_thread(self.look)
                await asyncio.sleep(LOOK)
        finally:
            if self._keyboard:
                self._keyboard.close()

    def look(self) -> None:
        """Look whether the machine rests now."""
        reason = self._why()
        if reason != self.reason:
            self.reason = reason
            self._tell(reason)

    def _why(self) -> str:
        until, self.at_once = asked(self._file)
        if until > self._now():
            return f"its owner wants it to rest until {datetime.fromtimestamp(until, self._zone):%H:%M}"
        if not self._hours.include(datetime.fromtimestamp(self._now(), self._zone)):
            return "it is outside of its hours"
        if self._keyboard is None:
            return ""
        idle = self._keyboard.idle()
        if idle is None:
            return "it can't tell whether somebody is at it"
        return "somebody is at it" if idle < self._away else ""


def in_words(settings: SlaveSettings) -> str:
    """Return when a machine renders by its owner's word; empty: always."""
    hours = f"{settings.hours} ({settings.zone})" if settings.hours and settings.zone else settings.hours
    away = f"after {settings.away_minutes:g} minutes without input" if settings.away_minutes else ""
    return ", ".join(filter(None, [hours, away]))[:LONGEST]


def asked(file: Path) -> tuple[float, bool]:
    """Return until when a person wants the machine to rest (Unix, seconds; 0: they don't), and whether at once."""
    with contextlib.suppress(OSError, ValueError):
        until, _, how = file.read_text("ascii").strip().partition(" ")
        return float(until), how == AT_ONCE
    return 0.0, False


def rest_until(state: Path, until: float, *, at_once: bool = False) -> None:
    """Have the slave with this state folder rest until a time (Unix, seconds); one that is over wakes it.

    Args:
        state: the folder.
        until: the time.
        at_once: what renders is given back, instead of finished.
    """
    state.mkdir(parents=True, exist_ok=True)
    (state / UNTIL).write_text(f"{until:.0f} {AT_ONCE if at_once else ''}".rstrip() + "\n", encoding="ascii")


def _zone(name: str) -> tzinfo | None:
    """Return a time zone; None: the machine's own."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadSetting(
            f"“{name}” is no time zone.", hint="For example Europe/Berlin; empty: this machine's."
        ) from error
