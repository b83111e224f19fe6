"""Uploads of the add-on that break: what tests of them share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from blender_addon.comms.hashes import Hashes
from blender_addon.comms.link import Link
from blender_addon.comms.parcel import Parcel
from blender_addon.comms.sending import Sending
from blender_addon.comms.unfinished import Note
from blender_addon.ui.desk import Desk

SIZE, BREAK = 12 * 1024 * 1024, 8 * 1024 * 1024

Seat = Callable[[Link], Desk]
"""Sets ada at a desk of the add-on's."""


class Noting(Link):
    """A link that knows at which byte uploads began, and may do something in the middle of one."""

    def __init__(self, url: str, token: str, middle: Any = None) -> None:
        super().__init__(url, token)
        self.starts: list[int] = []
        self.middle = middle

    def put(self, path: str, file: str, part: range, on_bytes: Any, stop: threading.Event) -> None:
        self.starts.append(part.start)
        passed = 0

        def watch(count: int) -> None:
            nonlocal passed
            passed += count
            if self.middle and passed > BREAK:
                act, self.middle = self.middle, None
                act()
            on_bytes(count)

        super().put(path, file, part, watch, stop)


def sent(link: Link, what: Parcel, note: Note | None = None) -> Any:
    """Send; return the last message. Copies of a link share what it notes."""
    told: list[Any] = []
    Sending(link, what, told.append, threading.Event(), Hashes(), note).run()
    return told[-1]


def until(desk: Desk, happened: Callable[[], Any]) -> None:
    """Take what threads tell until something is so."""
    end = time.monotonic() + 180
    while not happened():
        assert time.monotonic() < end, (desk.said, desk.trouble)
        desk.take_all()
        time.sleep(0.01)
