"""Take in a form's files as they arrive: into the store, under the sender's quota."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from farm.accounts.identity import Identity
from farm.api.forms.multipart import End, Event, Part
from farm.api.services import Services
from farm.files.store import Stored, take_in
from farm.jobs import files
from farm.jobs.archives import unpack_archive
from farm.methods.settings import TEXT_LIMIT
from farm.package.paths import checked
from farm.protocol.jobs import FileEntry
from farm.words.clock import now
from farm.words.errors import DistrenError, Malformed, QuotaExceeded, TooLarge, UnsafePackage

PACKAGE = "package"
"""The name of a field whose file is a tarball of files."""


@dataclass(slots=True)
class Taken:
    """A form that was read.

    Args:
        fields: its texts by name.
        files: its files, those of tarballs too; they are in the store.
        named: of the fields with one file, its path.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: list[FileEntry] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)


class Intake:
    """Takes in one form, or one tarball.

    Args:
        farm: where it is written down who sent what, and where the bytes go.
        user: the sender.
    """

    def __init__(self, farm: Services, user: Identity) -> None:
        self._database = farm.database
        self._store = farm.store
        self._user = user.id
        self._largest = int(farm.settings.file_limit)
        self._left = 0
        self._taken = Taken()

    async def tarball(self, stream: AsyncIterator[bytes]) -> list[FileEntry]:
        """Take in a tarball; return its files, which are in the store.

        Raises:
            UnsafePackage: it breaks the tar policy.
            QuotaExceeded, TooLarge: more bytes than the sender may store.
        """
        self._left = await self._database.read(partial(files.room_left, user=self._user))
        return await self._unpacked(stream)

    async def take(self, events: AsyncIterator[Event]) -> Taken:
        """Take a form in to its end.

        Raises:
            Malformed, UnsafePackage: a field comes twice or is too long, or a file's name is unsafe.
            QuotaExceeded, TooLarge: more bytes than the sender may store.
        """
        self._left = await self._database.read(partial(files.room_left, user=self._user))
        async for event in events:
            assert isinstance(event, Part)
            if event.filename is None:
                await self._field(event.name, events)
            elif event.name == PACKAGE:
                self._taken.files += await self._unpacked(_until_end(events))
            else:
                await self._file(event.name, event.filename, events)
        return self._taken

    async def _field(self, name: str, events: AsyncIterator[Event]) -> None:
        pieces, size = [], 0
        async for piece in _until_end(events):
            size += len(piece)
            if size > TEXT_LIMIT:
                raise Malformed(
                    f"The field “{name[:60]}” is longer than {TEXT_LIMIT:,} bytes.", hint="Is it a file? Write @."
                )
            pieces.append(piece)
        if name in self._taken.fields:
            raise Malformed(f"The field “{name[:60]}” comes twice.")
        self._taken.fields[name] = b"".join(pieces).decode("utf-8", "replace").strip()

    async def _file(self, name: str, filename: str, events: AsyncIterator[Event]) -> None:
        path = checked(filename.removeprefix("./"))
        stored = await self._stored(path, _until_end(events))
        await self._known([stored])
        self._taken.files.append(FileEntry(path=path, sha256=stored.sha256, size=stored.size))
        self._taken.named[name] = path

    async def _unpacked(self, stream: AsyncIterator[bytes]) -> list[FileEntry]:
        """Take in a tarball, then what is in it; the tarball itself is soon collected."""
        tarball = await self._stored("tarball", stream)
        await self._known([tarball])
        loop = asyncio.get_running_loop()

        def known(batch: list[Stored]) -> None:
            asyncio.run_coroutine_threadsafe(self._known(batch), loop).result()

        path = await asyncio.to_thread(self._store.local, tarball.sha256)
        limit = min(self._left, self._largest)
        entries = await asyncio.to_thread(unpack_archive, self._store, path, limit, known)
        self._left -= sum(entry.size for entry in entries)
        return entries

    async def _stored(self, path: str, stream: AsyncIterator[bytes]) -> Stored:
        try:
            return await take_in(self._store, self._within_quota(path, stream))
        except DistrenError as error:
            error.facts.setdefault("file", path)
            raise

    async def _within_quota(self, path: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        size = 0
        async for piece in stream:
            size += len(piece)
            self._left -= len(piece)
            if size > self._largest:
                raise TooLarge(f"“{path}” has more than {self._largest:,} bytes, the limit for a file.")
            if self._left < 0:
                raise QuotaExceeded(f"“{path}” is more than your quota leaves.", hint="Delete old jobs.")
            yield piece

    async def _known(self, kept: list[Stored]) -> None:
        await self._database.write(partial(_received, user=self._user, kept=kept))


def _received(conn: Connection, user: int, kept: list[Stored]) -> None:
    for stored in kept:
        files.received(conn, user, stored.sha256, stored.size, now())


async def _until_end(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    async for event in events:
        if isinstance(event, End):
            return
        assert isinstance(event, bytes)
        yield event
    raise UnsafePackage("A part of the form has no end.")
