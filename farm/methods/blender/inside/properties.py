"""Set properties of the scene by their paths, as far as the job may."""

from __future__ import annotations

import json
from typing import Any

from farm.methods.inside.trouble import Trouble

_OURS = ("scene.cycles.device", "view_layer.use", "view_layer.name")
"""What the farm decides."""
_PLACES = ("FILE_PATH", "DIR_PATH", "FILE_NAME")
_READERS: dict[str, Any] = {"INT": int, "FLOAT": float, "STRING": str, "ENUM": str}
_TRUTH = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


def set_property(scene: Any, view_layer: Any, path: str, value: Any) -> None:
    """Set a number or word that a path such as `scene.cycles.max_bounces` leads to.

    Only properties that Blender declares are followed: no path leads to a function, or out of the scene.

    Args:
        scene: where `scene.` begins.
        view_layer: where `view_layer.` begins.
        path: the server let it through its list.
        value: a number, a truth value, a list of numbers, or a text of one.

    Raises:
        Trouble: there is no such property here, or it can't have this value.
    """
    root, *names = path.split(".")
    owner, name = {"scene": scene, "view_layer": view_layer}.get(root), names[-1]
    for between in names[:-1]:
        owner = getattr(owner, between) if _declared(owner, between) else None
    declared = _declared(owner, name)
    if declared is None or declared.is_readonly or path in _OURS or declared.type not in (*_READERS, "BOOLEAN"):
        raise Trouble(f"{path}: this file and this Blender have no such setting.")
    if declared.subtype in _PLACES:
        raise Trouble(f"{path}: paths of files can't be set; they are the .blend's own.")
    try:
        setattr(owner, name, _read(declared, value))
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise Trouble(f"{path} can't be {value!r}: {error}") from error


def _declared(owner: Any, name: str) -> Any:
    return None if owner is None else owner.bl_rna.properties.get(name)


def _read(declared: Any, value: Any) -> Any:
    if getattr(declared, "is_array", False):
        values = json.loads(value) if isinstance(value, str) else value
        return [_one(declared.type, each) for each in values]
    if declared.type == "ENUM" and declared.is_enum_flag:
        return set(str(value).split(","))
    return _one(declared.type, value)


def _one(kind: str, value: Any) -> Any:
    if kind == "BOOLEAN":
        return value if isinstance(value, bool) else _TRUTH[str(value).lower()]
    if kind == "INT" and isinstance(value, float) and not value.is_integer():
        raise ValueError("it is a whole number")
    return _READERS[kind](value)
