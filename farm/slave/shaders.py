"""Where renderers keep the shaders that they compiled, and that a full disk kills none of them for it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

SHADERS = "MESA_SHADER_CACHE_DIR"
_NONE = "MESA_SHADER_CACHE_DISABLE"

_WITHIN, _INDEX = "mesa_shader_cache", "index"
_BYTES = 1_310_728
"""The size of the index, fixed in Mesa: 65,536 keys of 20 bytes, and a counter."""


def kept(folder: Path) -> dict[str, str]:
    """Return the variables by which a renderer keeps its shaders in a folder; or keeps none, if there is no room.

    Mesa maps its index into memory, with holes in the file. Where the disk is full, the first
    touch of a hole ends the renderer by SIGBUS; so all of the file is claimed before.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _claim(folder)
    except OSError as error:
        log.warning("Compiled shaders can't be kept", folder=str(folder), reason=error.strerror or str(error))
        return {_NONE: "true"}
    return {SHADERS: str(folder)}


def _claim(folder: Path) -> None:
    """Give the index all of its blocks; follows no links, for renderers write to the folder."""
    if not hasattr(os, "posix_fallocate"):
        return
    with _opened(folder, os.O_DIRECTORY) as home:
        with contextlib.suppress(FileExistsError):
            os.mkdir(_WITHIN, dir_fd=home)
        with (
            _opened(_WITHIN, os.O_DIRECTORY | os.O_NOFOLLOW, home) as within,
            _opened(_INDEX, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, within) as index,
        ):
            os.posix_fallocate(index, 0, _BYTES)


@contextlib.contextmanager
def _opened(path: Path | str, flags: int, folder: int | None = None) -> Iterator[int]:
    handle = os.open(path, flags, 0o644, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)
