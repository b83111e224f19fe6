"""Send the files that a server lacks, several at once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from farm.client.farmclient import FarmClient
from farm.client.patience import OnBytes, OnStuck, persist, unheard
from farm.protocol.jobs import Receiving


def upload_missing(
    client: FarmClient,
    receiving: Receiving,
    files: Mapping[str, Path],
    on_bytes: OnBytes,
    parallel: int = 4,
    on_stuck: OnStuck = unheard,
) -> None:
    """Send every blob that a new job still lacks; what breaks off goes on where it stopped.

    Args:
        client: a logged-in client.
        receiving: the server's answer to the submission.
        files: a path for each SHA-256.
        on_bytes: is told of bytes sent; a negative number takes back those of a failed try.
        parallel: files sent at once.
        on_stuck: is told of each try that broke off, before the next.

    Raises:
        DistrenError: the first that could not be mended by trying again.
    """

    def send(sha256: str) -> None:
        path = files[sha256]
        persist(lambda count: client.put_blob(path, sha256, path.stat().st_size, count), on_bytes, on_stuck)

    pool = ThreadPoolExecutor(parallel, thread_name_prefix="upload")
    try:
        list(pool.map(send, receiving.missing))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
