"""What Cycles renders on: looked up, chosen for a session, and checked after choosing.

Blender starts with factory settings, which choose the processor whatever the file says.
"""

from __future__ import annotations

import re
from typing import Any

import bpy

from farm.methods.inside.trouble import SLAVE, Trouble

CPU = "CPU"
KINDS = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")
"""Cycles' words for kinds of graphics cards, the best first: OptiX and CUDA are two ways to the same card."""

_SLOT = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}")
"""The place of a card on its bus, as most of Cycles' ids hold it."""


def cards() -> list[dict[str, str]]:
    """Return the cards that Cycles lists here: `kind`, Cycles' own `id`, `name`, and `card`, one for all its kinds."""
    found = []
    for kind in KINDS:
        known: dict[str, int] = {}
        for device in _listed(kind):
            place = _SLOT.search(device.id)
            nth = known[device.name] = known.get(device.name, -1) + 1
            card = place.group().lower() if place else f"{device.name} {nth}"
            found.append({"kind": kind, "id": device.id, "name": device.name, "card": card})
    return found


def use(kind: str, card: str = "") -> None:
    """Have all Cycles scenes of the open file rendered on the processor, or on one card alone.

    All of them: a compositor may render another scene along.

    Args:
        kind: `CPU`, or one of KINDS.
        card: Cycles' id of the card.

    Raises:
        Trouble: the card is gone, or Cycles does not take it; the slave's fault.
    """
    scenes = [scene for scene in bpy.data.scenes if scene.render.engine == "CYCLES"]
    if not scenes:
        return
    if kind != CPU:
        _choose(kind, card)
    else:
        _preferences().compute_device_type = "NONE"
    for scene in scenes:
        scene.cycles.device = CPU if kind == CPU else "GPU"
        _denoiser(scene, kind)


def _choose(kind: str, card: str) -> None:
    preferences = _preferences()
    devices = _listed(kind)
    for device in preferences.devices:
        device.use = device.type == kind and device.id == card
    chosen = [device for device in devices if device.use]
    if preferences.compute_device_type != kind or [device.id for device in chosen] != [card]:
        raise Trouble(f"The graphics card {card} is not there any more, or {kind} does not reach it.", SLAVE)


def _denoiser(scene: Any, kind: str) -> None:
    """Have the denoiser that belongs to the device: their pictures differ, too."""
    cycles = scene.cycles
    if not cycles.use_denoising:
        return
    if kind != "OPTIX" and cycles.denoiser == "OPTIX":
        if kind != CPU:
            raise Trouble(f"The file denoises with OptiX, which {kind} cards don't have.", SLAVE)
        cycles.denoiser = "OPENIMAGEDENOISE"
    if hasattr(cycles, "denoising_use_gpu"):  # since 4.1
        cycles.denoising_use_gpu = kind != CPU


def _listed(kind: str) -> list[Any]:
    """Return the cards of a kind; none if this Blender does not know it."""
    preferences = _preferences()
    try:
        preferences.compute_device_type = kind
    except TypeError:
        return []
    if hasattr(preferences, "refresh_devices"):
        preferences.refresh_devices()
    else:  # before 3.0
        preferences.get_devices()
    return [device for device in preferences.devices if device.type == kind]


def _preferences() -> Any:
    addon = bpy.context.preferences.addons.get("cycles")
    if addon is None:
        raise Trouble("This Blender has no Cycles.", SLAVE)
    return addon.preferences
