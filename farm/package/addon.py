"""The add-on as a zip: an extension for Blender 4.2 and newer, and a classic add-on for older ones, in one file.

Built from what is installed here, so that a server offers the add-on that fits it. The
same sources make the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from farm import __version__
from farm.words.errors import NotASetup

FOLDER = "distren"
"""The add-on's folder in the zip: classic add-ons are called by it."""

MANIFEST = "blender_manifest.toml"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: no earlier one can be written."""

NAME = f"distren-{__version__}.zip"


@dataclass(frozen=True, slots=True)
class AddOn:
    """The built zip, and the listing by which Blender's own updater finds it."""

    zip: bytes
    index: bytes


@cache
def addon() -> AddOn:
    """Build the add-on.

    Raises:
        NotASetup: its sources are not installed here.
    """
    home = sources()
    packed = _zip(home)
    return AddOn(packed, _index(tomllib.loads((home / MANIFEST).read_text("utf-8")), packed))


def sources() -> Path:
    """Return the folder of the add-on's sources.

    Raises:
        NotASetup: it is not installed.
    """
    spec = importlib.util.find_spec("blender_addon")
    if spec is None or not spec.submodule_search_locations:
        raise NotASetup("The folder blender_addon is not installed.", hint="Install DistRen anew.")
    return Path(next(iter(spec.submodule_search_locations)))


def _zip(home: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted([*home.rglob("*.py"), home / MANIFEST]):
            entry = zipfile.ZipInfo(f"{FOLDER}/{path.relative_to(home).as_posix()}", EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def _index(manifest: dict[str, Any], packed: bytes) -> bytes:
    """Return the listing of a static extensions repository, version 1, with this add-on alone."""
    entry = {
        **manifest,
        "archive_url": f"./{NAME}",
        "archive_size": len(packed),
        "archive_hash": f"sha256:{hashlib.sha256(packed).hexdigest()}",
    }
    return json.dumps({"version": "v1", "blocklist": [], "data": [entry]}, indent=2).encode()


def main(folder: str) -> None:
    """Write the zip and its listing into a folder."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    built = addon()
    (place / NAME).write_bytes(built.zip)
    (place / "index.json").write_bytes(built.index)


if __name__ == "__main__":
    main(sys.argv[1])
