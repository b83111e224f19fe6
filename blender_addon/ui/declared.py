"""The settings that the server declares for Blender jobs, as properties of a scene with limits and tooltips.

Nothing that a server sends is run: names, types and limits are data.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import bpy

from ..scene_facts import samples

OURS = (
    *("scene", "relocate", "colours", "outputs", "allow_missing", "sent_addons"),
    *("viewed", "tiles", "tile_step", "stage", "bake"),
)
"""Settings that the add-on fills in itself."""

CHOSEN = {"camera": "objects", "view_layer": "view_layers"}
"""Settings that name something of the scene: which of its collections they are chosen from."""

TITLES = {
    "CYCLES": "Cycles",
    "BLENDER_EEVEE": "Eevee",
    "BLENDER_EEVEE_NEXT": "Eevee Next",
    "BLENDER_WORKBENCH": "Workbench",
    "OPEN_EXR": "OpenEXR",
    "OPEN_EXR_MULTILAYER": "OpenEXR MultiLayer",
    "WEBP": "WebP",
    "TARGA": "Targa",
    "HDR": "Radiance HDR",
}
"""What Blender calls choices of which jobs know the identifiers."""

IN_FILE: dict[str, Callable[[Any], Any]] = {
    "camera": lambda scene: scene.camera.name if scene.camera else "",
    "resolution_x": lambda scene: scene.render.resolution_x,
    "resolution_y": lambda scene: scene.render.resolution_y,
    "resolution_percentage": lambda scene: scene.render.resolution_percentage,
    "samples": samples,
    "engine": lambda scene: scene.render.engine,
    "format": lambda scene: scene.render.image_settings.file_format,
    "denoising": lambda scene: scene.render.engine == "CYCLES" and scene.cycles.use_denoising,
}
"""How the file has a setting, where that is known."""

_USUALLY = {"view_layer": "All in use"}
"""What happens if nobody chooses."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_LARGEST = 2**31 - 1


class Shelf:
    """The class of properties that is registered now, if any."""

    def __init__(self) -> None:
        self.settings: list[dict[str, Any]] = []
        self._class: Any = None

    def offer(self, methods: list[dict[str, Any]]) -> None:
        """Make properties of what the method `blender` declares; values of scenes stay."""
        found = next((method for method in methods if method.get("name") == "blender"), None)
        settings = [s for s in (found or {}).get("settings", []) if _known(s)]
        if settings == self.settings or not methods:
            return
        self.close()
        members: dict[str, Any] = {}
        for setting in settings:
            members[f"use_{setting['name']}"] = bpy.props.BoolProperty(
                name=setting["title"],
                description=f"{_help(setting)} (Otherwise as the file says.)",
                update=_ticked(setting["name"]),
            )
            members[setting["name"]] = _KINDS[setting["type"]](setting)
        self._class = type("DistrenDeclared", (bpy.types.PropertyGroup,), {"__annotations__": members})
        bpy.utils.register_class(self._class)
        bpy.types.Scene.distren_declared = bpy.props.PointerProperty(type=self._class)
        self.settings = settings

    def close(self) -> None:
        """Take the properties away."""
        if self._class is not None:
            del bpy.types.Scene.distren_declared
            bpy.utils.unregister_class(self._class)
        self._class, self.settings = None, []


def values(scene: Any) -> dict[str, Any]:
    """Return the settings that the artist wants to differ from the file."""
    group = getattr(scene, "distren_declared", None)
    if group is None:
        return {}
    names = [setting["name"] for setting in shelf.settings]
    return {name: getattr(group, name) for name in names if getattr(group, f"use_{name}")}


def draw(layout: Any, scene: Any) -> None:
    """Draw each setting: a tick box, and its value when it is ticked."""
    group = getattr(scene, "distren_declared", None)
    if group is None:
        layout.label(text="The server names them once you are connected.", icon="INFO")
        return
    for setting in shelf.settings:
        name = setting["name"]
        split = layout.split(factor=0.5)
        split.prop(group, f"use_{name}")
        value = split.row()
        if not getattr(group, f"use_{name}"):
            value.label(text=_in_file(scene, setting))
        elif name in CHOSEN:
            value.prop_search(group, name, scene, CHOSEN[name], text="")
        else:
            value.prop(group, name, text="")


def _in_file(scene: Any, setting: dict[str, Any]) -> str:
    """Return how the file has a setting, in words; empty if that is not known."""
    value = IN_FILE[setting["name"]](scene) if setting["name"] in IN_FILE else None
    if isinstance(value, bool):
        return "On" if value else "Off"
    unit = setting.get("unit") or ""
    text = "" if value is None else f"{TITLES.get(str(value), value)} {'' if unit == setting['name'] else unit}"
    return _USUALLY.get(setting["name"], text.strip())


def _ticked(name: str) -> Callable[[Any, Any], None]:
    """Return what begins a setting that was just ticked with the file's own value."""

    def begin(group: Any, _context: Any) -> None:
        value = IN_FILE[name](group.id_data) if name in IN_FILE else None
        if value is not None and getattr(group, f"use_{name}"):
            # What the farm does not offer, as a video's format, can't be chosen.
            with contextlib.suppress(TypeError, ValueError):
                setattr(group, name, value)

    return begin


def _known(setting: dict[str, Any]) -> bool:
    return (
        bool(_NAME.fullmatch(str(setting.get("name"))))
        and setting["name"] not in OURS
        and setting.get("type") in _KINDS
        and (setting["type"] != "choice" or bool(setting.get("choices")))
    )


def _help(setting: dict[str, Any]) -> str:
    unit = f" In {setting['unit']}." if setting.get("unit") else ""
    return f"{str(setting.get('help', '')).strip()}{unit}"


def _limits(setting: dict[str, Any], kind: Callable[[Any], Any]) -> dict[str, Any]:
    limits = {"min": setting.get("minimum"), "max": setting.get("maximum")}
    given = {name: kind(min(value, _LARGEST)) for name, value in limits.items() if value is not None}
    default = setting.get("default")
    return {**given, "default": kind(default if default is not None else given.get("min", 0))}


def _common(setting: dict[str, Any]) -> dict[str, Any]:
    return {"name": setting["title"], "description": _help(setting)}


def _integer(setting: dict[str, Any]) -> Any:
    return bpy.props.IntProperty(**_common(setting), **_limits(setting, int))


def _number(setting: dict[str, Any]) -> Any:
    return bpy.props.FloatProperty(**_common(setting), **_limits(setting, float))


def _boolean(setting: dict[str, Any]) -> Any:
    return bpy.props.BoolProperty(**_common(setting), default=bool(setting.get("default")))


def _text(setting: dict[str, Any]) -> Any:
    return bpy.props.StringProperty(**_common(setting), default=str(setting.get("default") or ""))


def _choice(setting: dict[str, Any]) -> Any:
    return bpy.props.EnumProperty(**_common(setting), items=[(c, TITLES.get(c, c), "") for c in setting["choices"]])


_KINDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "text": _text,
    "choice": _choice,
}

shelf = Shelf()
