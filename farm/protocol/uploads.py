"""Files on their way to a server, or past it into its bucket."""

from __future__ import annotations

from farm.protocol.base import Answer

RESUMABLE_BYTES = 4 * 1024 * 1024
"""An upload of this size or more that breaks off goes on where it stopped; a smaller one is sent anew."""

DIRECT = "distren-direct"
"""The header, of any value, of those who can go straight to a bucket, and come back if they don't reach it."""


class DirectUpload(Answer):
    """Where else the bytes can be sent, by one PUT with these headers, within two minutes."""

    address: str
    headers: dict[str, str]


class UploadOffset(Answer):
    """How much of an upload is on the server: it goes on at `offset`, with a Content-Range.

    `direct` is a way past the server, for those who asked with the header `Distren-Direct`. What was sent there counts
    after `POST /api/blobs/HASH/arrived`; whoever can't send it there sends it to the server.
    """

    offset: int
    direct: DirectUpload | None = None


class BlobKept(Answer):
    """Bytes that the server has now."""

    sha256: str
    size: int
