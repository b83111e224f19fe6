"""The ways by which Cycles reaches graphics cards: each draws and counts by itself. Nothing is imported here."""

from __future__ import annotations

from collections.abc import Iterable

BACKENDS = ("optix", "cuda", "hip", "metal", "oneapi")
"""What jobs may demand, and ratings are by; the renderer's own words are the same in capitals."""

TITLES = {"optix": "OptiX", "cuda": "CUDA", "hip": "HIP", "metal": "Metal", "oneapi": "oneAPI"}
"""What people call them."""


def backend(device: str) -> str:
    """Return by which way a slave reaches a device, from its word for it (`OPTIX RTX 4090`); empty: none is known."""
    way = device.partition(" ")[0].lower()
    return way if way in BACKENDS else ""


def backends(devices: Iterable[str]) -> list[str]:
    """Return the ways to all of some devices, each once, in their order."""
    return list(dict.fromkeys(filter(None, map(backend, devices))))


def cards(devices: Iterable[str], way: str = "") -> int:
    """Return how many cards there are, each of which may be reached by several ways.

    Args:
        devices: a slave's words for them.
        way: count only those that are reached by this one; empty: all.
    """
    listed = [device for device in devices if backend(device) and way in ("", backend(device))]
    names = {device.partition(" ")[2] for device in listed}
    return sum(max(listed.count(f"{kind.upper()} {name}") for kind in BACKENDS) for name in names)
