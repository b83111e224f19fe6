"""Ways past the server: addresses by which callers fetch from the bucket, or send to it, for two minutes.

What is sent so comes first under a name of its own. The address holds only with the announced hash as a header, by
which the bucket compares the bytes before it takes them; a bucket that does not compare is found out by a lie, and
gets nothing sent directly. So the server believes without reading.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256 as hashed
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import obstore
import structlog

from farm.files.signing import Signer
from farm.files.store import Way
from farm.words.errors import FileNotHere

if TYPE_CHECKING:
    from obstore.store import ObjectStore

log = structlog.get_logger(__name__)

HOLDS = 120
"""Seconds for which an address holds; what has begun by then goes on to its end."""

MOST = 1024 * 1024 * 1024
"""Bytes of the largest file that is sent at once: it can't go on where it broke off, as it can through the server."""

INCOMING = "incoming"

_FORGOTTEN = 24 * 3600.0
"""Seconds after which what was sent, but not spoken of, goes."""

_AGAIN = 60.0
"""Seconds after which a bucket that did not answer is asked again whether it compares."""

_WAIT = 10.0
"""Seconds that it may take to answer."""

_SHOWN = {"content-type": "response-content-type", "content-disposition": "response-content-disposition"}
"""What the server says of a file → how the bucket is asked to say it."""


class Direct:
    """Lead callers to a bucket.

    Args:
        bucket: the bucket.
        outside: signs addresses as callers reach it.
        inside: signs addresses as this server reaches it.
        folder: of the bucket, in which everything lies; empty: none.
        browsers: also lead browsers there, which can't come back when they don't reach it.
    """

    def __init__(
        self, bucket: ObjectStore, outside: Signer, inside: Signer, folder: str = "", browsers: bool = False
    ) -> None:
        self.browsers = browsers
        self._bucket = bucket
        self._outside, self._inside = outside, inside
        self._folder = f"{folder.strip('/')}/" if folder.strip("/") else ""
        self._lock = threading.Lock()
        self._compares: bool | None = None
        self._ask_at = 0.0

    def out(self, key: str, headers: Mapping[str, str]) -> str:
        """Return an address by which one may GET an object, and nothing else.

        Args:
            key: the object's.
            headers: what the answer is to say of it; only its kind and its name count.
        """
        query = {_SHOWN[name]: value for name, value in headers.items() if name in _SHOWN}
        return self._outside.address("GET", self._folder + key, HOLDS, query=query)

    def way_in(self, sender: str, sha256: str, size: int) -> Way | None:
        """Return how somebody sends bytes with this hash; None: through the server. Blocking.

        Args:
            sender: who: what one sends is not another's.
            sha256: of the bytes, in hex.
            size: their number.
        """
        if size > MOST or not self._trusted():
            return None
        headers = _announced(sha256, size)
        address = self._outside.address("PUT", f"{self._folder}{_place(sender, sha256)}", HOLDS, headers=headers)
        return Way(address, headers)

    def take(self, sender: str, sha256: str, size: int, key: str) -> None:
        """Make what somebody has sent an object under its own name; durable when it returns. Blocking.

        Raises:
            FileNotHere: they have not sent it.
        """
        place = _place(sender, sha256)
        try:
            here = int(obstore.head(self._bucket, place)["size"])
        except FileNotFoundError:
            here = -1
        if here != size or not self._trusted():
            raise FileNotHere(f"The bytes of {sha256[:12]}… have not arrived.", hint="Send them to the server.")
        obstore.copy(self._bucket, place, key)
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(self._bucket, place)

    def tidy(self) -> None:
        """Remove what was sent and not spoken of for a day. Blocking."""
        for batch in obstore.list(self._bucket, prefix=INCOMING):
            for found in batch:
                if (datetime.now(UTC) - found["last_modified"]).total_seconds() > _FORGOTTEN:
                    obstore.delete(self._bucket, found["path"])

    def _trusted(self) -> bool:
        """Tell whether the bucket refuses bytes with another hash than announced; it is asked once."""
        with self._lock:
            if self._compares is None and time.monotonic() >= self._ask_at:
                self._compares, self._ask_at = self._refuses_a_lie(), time.monotonic() + _AGAIN
                if self._compares is False:
                    log.warning("The bucket does not compare checksums: files are sent to it through the server.")
            return bool(self._compares)

    def _refuses_a_lie(self) -> bool | None:
        """Send a byte under the hash of another; None: the bucket did not answer, or takes no byte at all."""
        key = f"{INCOMING}/asked-{uuid4().hex}"
        try:
            truth, lie = (self._put(key, _announced(hashed(byte).hexdigest(), 1)) for byte in (b"1", b"0"))
        except (OSError, http.client.HTTPException):
            return None
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(self._bucket, key)
        return lie == http.client.BAD_REQUEST if truth == http.client.OK else None

    def _put(self, key: str, headers: dict[str, str]) -> int:
        address = urlsplit(self._inside.address("PUT", self._folder + key, HOLDS, headers=headers))
        kind: Any = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        with contextlib.closing(kind(address.netloc, timeout=_WAIT)) as connection:
            connection.request("PUT", f"{address.path}?{address.query}", b"1", headers)
            status: int = connection.getresponse().status
            return status


def _announced(sha256: str, size: int) -> dict[str, str]:
    return {
        "content-length": str(size),
        "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode(),
    }


def _place(sender: str, sha256: str) -> str:
    return f"{INCOMING}/{sender}-{sha256}"
