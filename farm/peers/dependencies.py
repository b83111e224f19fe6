"""What frames here wait for at peers: whether their owner may read it there, and fetching it when it is done."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from farm.accounts.identity import Identity
from farm.files.store import PIECE, BlobStore, take_in
from farm.jobs import arrivals
from farm.jobs.arrivals import Awaited, File
from farm.jobs.depends import Elsewhere, There
from farm.package.paths import checked
from farm.peers import book
from farm.peers.peering import Peering
from farm.protocol.depends import Dependency
from farm.protocol.jobs import JobView, OutputFile
from farm.words.clock import now
from farm.words.errors import DistrenError, Forbidden, JobNotFound, TooLarge, UnknownPeer
from farm.words.names import Address
from farm.words.ranges import FrameRange
from farm.words.states import FrameState

if TYPE_CHECKING:
    from farm.client.peerlink import PeerClient

log = structlog.get_logger(__name__)

ROUND = 60.0
"""Seconds after which all of a job is looked at though its counts are the same: it may have been rendered again."""

AT_ONCE = 50
"""Frames that one transaction writes down."""

PAGE = 1000
"""Frames on a page of a peer's."""


def asking(peering: Peering, user: Identity) -> Elsewhere:
    """Return what asks other servers for frames that a user's job will wait for."""
    return partial(there, peering, user)


async def there(peering: Peering, user: Identity, depends: Sequence[Dependency]) -> There:
    """Return the frames of other servers' jobs that a user may wait for; or why they may not.

    Args:
        peering: this server.
        user: whose job will wait.
        depends: for what.
    """
    found: There = {}
    for one in depends:
        address = Address.parse(one.on, peering.name) if "://" in one.on else None
        if address is None or address.job is None or address.server == peering.name:
            continue
        key = (address.server, address.job)
        if key not in found:
            found[key] = await _frames(peering, user, *key)
    return found


async def _frames(peering: Peering, user: Identity, server: str, job: int) -> FrameRange | DistrenError:
    if user.peer:
        return Forbidden("Jobs of other servers' users wait for nothing at further servers.")
    try:
        view = await asyncio.to_thread(_job, await peering.client(server, user.name), job)
    except JobNotFound as error:
        return JobNotFound(f"{error.message.rstrip('.')} at {server} that {user.name}@{peering.name} may see.", job=job)
    except DistrenError as error:
        return error
    return FrameRange.parse(view.frames)


def _job(client: PeerClient, job: int) -> JobView:
    with client:
        return client.job(job)


class Awaiting:
    """Look again and again what has become of frames that frames here wait for, and bring their files.

    Args:
        peering: this server.
        store: where their files go.
        folder: for files on their way.
        limit: bytes of one frame's files.
    """

    def __init__(self, peering: Peering, store: BlobStore, folder: Path, limit: int) -> None:
        self._peering, self._store, self._folder, self._limit = peering, store, folder, limit
        self._seen: dict[Awaited, tuple[str, float]] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}

    async def __call__(self) -> None:
        """Do a round; a peer that is slow keeps only what waits for it waiting."""
        database = self._peering.database
        if not await database.read(book.everyone):
            return
        wanted = await database.read(arrivals.awaited)
        self._seen = {one: mark for one, mark in self._seen.items() if one in wanted}
        for server in sorted({one.server for one in wanted} - self._busy.keys()):
            mine = [one for one in wanted if one.server == server]
            self._busy[server] = asyncio.create_task(self._all_of(server, mine), name=f"peer {server}")

    async def _all_of(self, server: str, wanted: Sequence[Awaited]) -> None:
        """Look after all that is waited for at one server."""
        try:
            for one in wanted:
                await self._one(one)
        except Exception:  # whatever broke, the next round tries again
            log.warning("Looking after a peer's frames broke.", peer=server, exc_info=True)
        finally:
            del self._busy[server]

    async def _one(self, one: Awaited) -> None:
        try:
            client = await self._peering.client(one.server, one.user)
        except UnknownPeer as error:
            await self._give_up(one, one.needs, error.message)
            return
        except DistrenError:
            return  # the exchange is paused: what waits, waits
        try:
            await self._look(one, client)
        except JobNotFound:
            address = Address(one.server, one.job)
            await self._give_up(one, one.needs, f"It needs frames of {address}, which was deleted, or is hidden now.")
        except DistrenError as error:
            away = error.status >= 500
            noted = partial(book.erred, name=one.server, error=error.message, at=now(), away=away)
            await self._peering.database.write(noted)
            log.info("A peer's frames could not be fetched yet.", peer=one.server, job=one.job, reason=error.message)
        finally:
            client.close()

    async def _look(self, one: Awaited, client: PeerClient) -> None:
        view = await asyncio.to_thread(client.job, one.job)
        mark = f"{view.state} {view.counts.model_dump()} {view.version}"
        known, at = self._seen.get(one, ("", 0.0))
        if mark == known and time.monotonic() - at < ROUND:
            return
        here = await self._peering.database.read(partial(arrivals.fetched, server=one.server, job=one.job))
        listed = await asyncio.to_thread(_listed, client, one.job, set(one.needs))
        fresh = {frame: files for frame, files in listed.items() if here.get(frame) != _as_files(files)}
        frames = sorted(fresh)
        for start in range(0, len(frames), AT_ONCE):
            await self._bring(one, client, {frame: fresh[frame] for frame in frames[start : start + AT_ONCE]})
        if view.counts.failed or view.counts.canceled:
            dead = await asyncio.to_thread(_dead, client, one)
            await self._peering.database.write(
                partial(arrivals.given_up, server=one.server, job=one.job, lost=dead, at=now())
            )
        self._seen[one] = (mark, time.monotonic())

    async def _bring(self, one: Awaited, client: PeerClient, fresh: dict[int, list[OutputFile]]) -> None:
        for files in fresh.values():
            if sum(file.size for file in files) > self._limit:
                text = f"Frame {files[0].frame} of {Address(one.server, one.job)} has more than {self._limit:,} bytes."
                raise TooLarge(text, hint="`result_limit` of this server sets this.")
            for file in files:
                checked(file.name)
                await self._stored(client, one.job, file)
        come = {frame: tuple(_as_files(files)) for frame, files in fresh.items()}
        doing = partial(arrivals.arrived, server=one.server, job=one.job, come=come, at=now())
        await self._peering.database.write(doing)

    async def _stored(self, client: PeerClient, job: int, file: OutputFile) -> None:
        if await asyncio.to_thread(self._store.size, file.sha256) == file.size:
            return
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="peer-") as folder:
            target = Path(folder) / "file"
            await asyncio.to_thread(client.fetch_file, job, file, target)
            await take_in(self._store, _pieces(target), file.sha256, file.size)

    async def _give_up(self, one: Awaited, needs: FrameRange, reason: str) -> None:
        here = await self._peering.database.read(partial(arrivals.fetched, server=one.server, job=one.job))
        lost = {frame: reason for frame in needs if frame not in here}
        doing = partial(arrivals.given_up, server=one.server, job=one.job, lost=lost, at=now())
        await self._peering.database.write(doing)


def _listed(client: PeerClient, job: int, needs: set[int]) -> dict[int, list[OutputFile]]:
    """Return the finished files of some of a job's frames."""
    found: dict[int, list[OutputFile]] = {}
    after = min(needs) - 1 if min(needs) else None
    while True:
        page = client.output(job, after=after, limit=PAGE)
        for file in page.files:
            if file.frame in needs:
                found.setdefault(file.frame, []).append(file)
        after = page.next
        if after is None or after >= max(needs):
            return found


def _dead(client: PeerClient, one: Awaited) -> dict[int, str]:
    """Return which frames will not come by themselves, and why."""
    found: dict[int, str] = {}
    for state, word in ((FrameState.FAILED, "failed"), (FrameState.CANCELED, "was canceled")):
        after: int | None = None
        while True:
            page = client.frames(one.job, state=state.value, after=after, limit=PAGE)
            for frame in page.frames:
                if frame.frame in one.needs:
                    found[frame.frame] = f"It needs {Address(one.server, one.job, frame.frame)}, which {word}."
            after = page.next
            if after is None:
                break
    return found


def _as_files(files: Sequence[OutputFile]) -> frozenset[File]:
    return frozenset((file.name, bytes.fromhex(file.sha256), file.size) for file in files)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as stream:
        while piece := await asyncio.to_thread(stream.read, PIECE):
            yield piece
