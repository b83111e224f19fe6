"""Blobs in a bucket, under the same names as on a disk: `ab/abcd…`.

Bytes arrive in a folder of this machine first, where they are checked, and an upload that breaks off can go on. They
are blobs when the bucket has them. What was used lately stays in the folder, for the next who asks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError

from farm.files.copies import Copies
from farm.files.disk import DiskIncoming, DiskSpool, DiskStore
from farm.files.partials import Upload
from farm.files.store import PIECE, Damage, Stored, Usage, Way, hash_of
from farm.words.errors import FileNotHere, Unavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from farm.files.direct import Direct

PART = 16 * 1024 * 1024
"""Bytes that go to the bucket at once."""

TRASH, SPOILT = "trash", "spoilt"

COPIED = 5_000_000_000
"""The largest object that S3 copies by itself."""

PATIENCE = 10.0
"""Seconds for which what fails is tried again before it counts as failed."""


class BucketStore:
    """Keep blobs in a bucket; any number of processes may share it.

    Args:
        bucket: the bucket.
        landing: takes bytes in, and holds copies of what was used lately.
        room: bytes that these copies may take.
        direct: leads callers past this server; None: nobody.
    """

    def __init__(self, bucket: ObjectStore, landing: DiskStore, room: int, direct: Direct | None = None) -> None:
        self._bucket = bucket
        self._direct = direct
        self._landing = landing
        self._copies = Copies(landing, room)

    def arrived(self, upload: Upload) -> int:
        """Return how many bytes of an upload that broke off are here."""
        return self._landing.arrived(upload)

    def busy(self, upload: Upload) -> bool:
        """Tell whether somebody is sending it now, or has broken off unnoticed."""
        return self._landing.busy(upload)

    def incoming(self, limit: int | None = None, upload: Upload | None = None, start: int = 0) -> BucketIncoming:
        """Begin to take in bytes, at most `limit` of them, or go on behind the first `start`."""
        self._copies.make_room(limit or 0)
        return BucketIncoming(self, self._landing.incoming(limit, upload, start))

    def spool(self, upload: Upload, start: int = 0) -> DiskSpool:
        """Begin to keep an upload's bytes aside, or go on behind the first `start`."""
        return self._landing.spool(upload, start)

    def send(self, sha256: str, file: Path) -> None:
        """Put a file's bytes into the bucket; they are durable when it returns.

        Also those that are there: so they are young, and a collection that runs now spares them.
        """
        self._put(_key(sha256), file)

    async def open_range(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to before `end`; None: to the last."""
        if await asyncio.to_thread(self._copies.use, sha256):
            with contextlib.suppress(FileNotHere):  # it gave way in this moment
                async for piece in self._landing.open_range(sha256, start, end):
                    yield piece
                return
        if (size := await asyncio.to_thread(self.size, sha256)) is None:
            raise FileNotHere(f"The bytes of {sha256[:12]}… are not here.")
        last = size if end is None else min(end, size)
        if start < last:
            with _said():
                options: Any = {"range": (start, last)}
                answer = await obstore.get_async(self._bucket, _key(sha256), options=options)
                async for part in answer.stream(min_chunk_size=PIECE):
                    yield bytes(part)

    def way_out(self, sha256: str, headers: Mapping[str, str], browser: bool) -> str | None:
        """Return an address by which the blob can be fetched from the bucket for a while."""
        if self._direct is None or (browser and not self._direct.browsers):
            return None
        return self._direct.out(_key(sha256), headers)

    def way_in(self, sender: str, sha256: str, size: int) -> Way | None:
        """Return how bytes with this hash can be sent to the bucket; None: only through us."""
        with _said():
            return self._direct.way_in(sender, sha256, size) if self._direct else None

    def take(self, sender: str, sha256: str, size: int) -> None:
        """Make a blob of what somebody has sent to the bucket."""
        if self._direct is None:
            raise FileNotHere("Nothing can be sent past this server.")
        with _said():
            self._direct.take(sender, sha256, size, _key(sha256))

    def sync(self, hashes: Iterable[str]) -> None:
        """Do nothing: what the bucket took is durable."""

    def size(self, sha256: str) -> int | None:
        """Return a blob's size, None if it is not in the bucket."""
        found = self._head(_key(sha256))
        return None if found is None else int(found["size"])

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes of all blobs whose hashes begin with these two digits: a thousand for each question."""
        return {_hash_of(found): int(found["size"]) for found in self._list(folder)}

    def local(self, sha256: str) -> Path:
        """Return a file of this machine that holds a blob's bytes; they are fetched if need be."""
        if not self._copies.use(sha256):
            self._fetch(sha256)
        return self._landing.local(sha256)

    def delete(self, sha256: str, older_than: float) -> bool:
        """Remove a blob unless it was put again within the last `older_than` seconds.

        Between the look and the removal somebody may put it again. So a copy stays aside, until it is
        sure that nobody did: see :meth:`settle`.
        """
        found = self._head(_key(sha256))
        if found is None or _age(found) < older_than:
            return False
        with _said():
            if found["size"] <= COPIED:
                obstore.copy(self._bucket, _key(sha256), f"{TRASH}/{sha256}.{uuid4().hex}")
            obstore.delete(self._bucket, _key(sha256))
        self._landing.delete(sha256, 0)
        return True

    def damage(self, sha256: str) -> Damage | None:
        """Read all of a blob in the bucket, and the copy here, which may be another one than the bucket's."""
        if hash_of(self._pieces(sha256)) != sha256:
            return Damage.BLOB
        with contextlib.suppress(FileNotHere):
            return self._landing.damage(sha256) and Damage.COPY
        return None

    def spoil(self, sha256: str) -> None:
        """Take away what is damaged: the copy on this machine, or the bucket's bytes, which go to a folder there."""
        self._landing.spoil(sha256)
        arriving = self._landing.incoming()
        try:
            for piece in self._pieces(sha256):
                arriving.write(piece)
            if arriving.seal().sha256 != sha256:
                self._put(f"{SPOILT}/{sha256}.{uuid4().hex}", arriving.file)
                with _said():
                    obstore.delete(self._bucket, _key(sha256))
        except FileNotHere:
            return
        finally:
            arriving.drop()

    def aside(self, older_than: float) -> Iterator[str]:
        """Yield the hashes of blobs that were removed before the last `older_than` seconds, and have a copy aside."""
        for found in self._list(TRASH):
            if _age(found) >= older_than:
                yield _hash_of(found)

    def settle(self, sha256: str, *, wanted: bool) -> None:
        """Forget the copies of a removed blob; if it is wanted after all, it is put back before."""
        copies = [str(one["path"]) for one in self._list(TRASH) if _hash_of(one) == sha256]
        with _said():
            if wanted and copies and self.size(sha256) is None:
                obstore.copy(self._bucket, copies[0], _key(sha256))
            for copy in copies:
                obstore.delete(self._bucket, copy)

    def hashes(self) -> Iterator[str]:
        """Yield the hashes of all blobs, in no order."""
        for found in self._list(""):
            folder, _, name = str(found["path"]).rpartition("/")
            if len(folder) == 2:
                yield name

    def tidy(self, older_than: float) -> None:
        """Clear what a killed process left."""
        self._landing.tidy(older_than)
        self._copies.look()
        if self._direct:
            with _said():
                self._direct.tidy()

    def usage(self) -> Usage:
        """Return how full the disk under the folder is: a bucket does not say."""
        return self._landing.usage()

    def _put(self, key: str, file: Path) -> None:
        with _said(), file.open("rb") as stream:
            large = file.stat().st_size > PART
            obstore.put(self._bucket, key, stream, use_multipart=large, chunk_size=PART)

    def _fetch(self, sha256: str) -> None:
        arriving = self._landing.incoming()
        try:
            for piece in self._pieces(sha256):
                arriving.write(piece)
            self._copies.came(arriving.keep(sha256).size)
        finally:
            arriving.leave()

    def _pieces(self, sha256: str) -> Iterator[bytes]:
        """Yield a blob's bytes as the bucket has them."""
        try:
            with _said():
                for part in obstore.get(self._bucket, _key(sha256)).stream(min_chunk_size=PIECE):
                    yield bytes(part)
        except FileNotFoundError as error:
            raise FileNotHere(f"The bytes of {sha256[:12]}… are not here.") from error

    def kept(self, size: int) -> None:
        """Hear that a copy came into the folder."""
        self._copies.came(size)

    def _head(self, key: str) -> Any:
        try:
            with _said():
                return obstore.head(self._bucket, key)
        except FileNotFoundError:
            return None

    def _list(self, folder: str) -> Iterator[Any]:
        with _said():
            for batch in obstore.list(self._bucket, prefix=folder or None):
                yield from batch


class BucketIncoming:
    """Bytes on their way into a :class:`BucketStore`; see :class:`farm.files.store.Incoming`."""

    def __init__(self, store: BucketStore, arriving: DiskIncoming) -> None:
        self._store = store
        self._arriving = arriving
        self._sealed: Stored | None = None

    def write(self, piece: bytes) -> None:
        """Take more bytes."""
        self._arriving.write(piece)

    def keep(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Make the bytes a blob, if they are the announced ones; durable when it returns."""
        stored = self.seal(sha256, size)
        self.show()
        return stored

    def seal(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Take the bytes as complete, if they are the announced ones; they are no blob yet."""
        self._sealed = self._arriving.seal(sha256, size)
        return self._sealed

    def show(self) -> None:
        """Make sealed bytes a blob: durable, since the bucket has it."""
        assert self._sealed is not None
        self._store.send(self._sealed.sha256, self._arriving.file)
        self._arriving.show()
        self._store.kept(self._sealed.size)

    def drop(self) -> None:
        """Forget the bytes, if they were not kept; may be called in any state."""
        self._arriving.drop()

    def leave(self) -> None:
        """End without the rest: the bytes of an upload stay for its next try, all others are forgotten."""
        self._arriving.leave()


def opened(url: str, endpoint: str, region: str, key: str, secret: str, patience: float = PATIENCE) -> ObjectStore:
    """Return a bucket.

    Args:
        url: `s3://NAME` or `s3://NAME/FOLDER`.
        endpoint: the service's address; empty: Amazon's.
        region: the bucket's.
        key: access key; empty: the environment's, or the machine's own.
        secret: the key's.
        patience: seconds for which what fails is tried again.
    """
    from obstore.store import S3Store

    given: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    if key:
        given |= {"access_key_id": key, "secret_access_key": secret}
    retry: Any = {"max_retries": 5, "retry_timeout": timedelta(seconds=patience)}
    client: Any = {"connect_timeout": "5s", "timeout": "300s", "allow_http": endpoint.startswith("http://")}
    name, _, folder = url.removeprefix("s3://").partition("/")
    return S3Store(
        name,
        prefix=folder or None,
        region=region,
        virtual_hosted_style_request=not endpoint,
        checksum_algorithm="SHA256",
        client_options=client,
        retry_config=retry,
        **given,
    )


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """Turn what the bucket complains of into our error.

    Raises:
        Unavailable: it does not answer, or refuses us.
    """
    try:
        yield
    except BaseError as error:
        reason = str(error).partition("\n")[0]
        raise Unavailable(
            f"The bucket takes nothing at the moment: {reason}.",
            hint="Wait a little: everything goes on when it answers again. Its settings begin with bucket.",
        ) from error


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _hash_of(found: Any) -> str:
    return str(found["path"]).rpartition("/")[2].partition(".")[0]


def _age(found: Any) -> float:
    age: timedelta = datetime.now(UTC) - found["last_modified"]
    return age.total_seconds()
