"""Enable add-ons that lie in a folder of the slave's owner. Imports nothing of ours: a trial loads it alone."""

from __future__ import annotations

import importlib
import os
import re
import sys
from typing import Any

_VERSION = re.compile(r"^version\s*=\s*[\"']([^\"']+)", re.MULTILINE)


def enable(folder: str, name: str) -> str:
    """Enable an add-on until this Blender ends; return its version.

    Raises:
        RuntimeError: it does not work in this Blender, with the reason.
    """
    addon_utils = importlib.import_module("addon_utils")
    if folder not in sys.path:
        sys.path.append(folder)
    errors: list[Any] = []
    # With preferences, for many add-ons read theirs; they are factory settings, kept nowhere.
    module = addon_utils.enable(name, default_set=True, persistent=True, handle_error=errors.append)
    if module is None:
        raise RuntimeError(str(errors[0]) if errors else "it can't be enabled")
    place = os.path.realpath(getattr(module, "__file__", None) or os.devnull)
    if not place.startswith(os.path.join(os.path.realpath(folder), "")):
        raise RuntimeError("another module of Blender's has this name")
    return _version(module, os.path.dirname(place))


def engines() -> list[str]:
    """Return the ids of the render engines that add-ons registered so far, Blender's own among them."""
    kinds = importlib.import_module("bpy").types.RenderEngine.__subclasses__()
    return [name for name in (getattr(kind, "bl_idname", "") for kind in kinds) if name]


def _version(module: Any, home: str) -> str:
    told = getattr(module, "bl_info", {}).get("version")
    if told:
        return ".".join(map(str, told))
    try:
        with open(os.path.join(home, "blender_manifest.toml"), encoding="utf-8") as manifest:
            found = _VERSION.search(manifest.read())
    except OSError:
        return "0"
    return found.group(1) if found else "0"
