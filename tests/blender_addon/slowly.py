"""An artist's Blender in the middle of an upload, `python -m tests.blender_addon.slowly SERVER TOKEN BYTES FILE USER`.

Sends a file as the add-on does, says so after some bytes, and goes no further; with fewer than no bytes, as soon as
the server has made the job, before its number is noted. What it needs to go on is in the state folder.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from blender_addon.comms.hashes import Hashes
from blender_addon.comms.link import Link
from blender_addon.comms.parcel import LocalFile, Parcel
from blender_addon.comms.sending import Sending
from blender_addon.comms.unfinished import Half, Note


class Holding(Link):
    """A link that stands still."""

    left = 0

    def call(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        heard = super().call(verb, path, body, **query)
        if self.left < 0 and path == "/api/jobs":
            stand_still()
        return heard

    def put(self, path: str, file: str, part: range, on_bytes: Any, stop: threading.Event) -> None:
        def hold(count: int) -> None:
            self.left -= count
            if self.left < 0:
                stand_still()
            on_bytes(count)

        super().put(path, file, part, hold, stop)


def stand_still() -> None:
    """Say so, and wait to be killed."""
    sys.stdout.write("holding\n")
    sys.stdout.flush()
    threading.Event().wait()


def half(link: Link, what: Parcel, user: str = "ada") -> Half:
    """Return a job that is about to be sent; its copy is the file's folder."""
    return Half(link.server, user, what, str(Path(what.files[0].local).parent))


def parcel(file: str, key: str) -> Parcel:
    """Return a job of one file."""
    submission = {"name": "shot", "requires": {"method": "sleep"}, "source": "shot.blend", "frames": "1-3", "key": key}
    return Parcel(submission, [LocalFile(file, "shot.blend", None)], anyway=True)


if __name__ == "__main__":
    server, token, count, file, user = sys.argv[1:]
    link = Holding(server, token)
    link.left = int(count)
    what = parcel(file, "first")
    Sending(link, what, lambda _message: None, threading.Event(), Hashes(), Note(half(link, what, user))).run()
