"""Run inside a Blender: tell its version and engines, and, with `--gl`, whether it can draw.

The answer is one line that begins with the record separator, so that Blender's own
lines around it don't matter. `--gl` is a run of its own, since a Blender without EGL
aborts the whole process.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import Any

sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != os.path.dirname(os.path.abspath(__file__))]

import bpy  # noqa: E402  (our modules must not hide those that it imports)

BACKENDS = ("CUDA", "OPTIX", "HIP", "METAL", "ONEAPI")
ENGINES = ("CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH")


def say(facts: dict[str, Any]) -> None:
    """Write the answer."""
    os.write(1, ("\n\x1e" + json.dumps(facts) + "\n").encode())


def engines() -> list[str]:
    """Return the ids of the engines that this Blender accepts."""
    found = []
    for engine in ENGINES:
        try:
            bpy.context.scene.render.engine = engine
        except TypeError:
            continue
        found.append(engine)
    return found


def denoiser() -> bool:
    """Tell whether Cycles has OpenImageDenoise; builds of distributions may lack it."""
    try:
        import _cycles
    except ImportError:
        return False
    return bool(getattr(_cycles, "with_openimagedenoise", False))


def devices() -> list[str]:
    """Return the graphics cards that Cycles can use here, each with its backend: `OPTIX NVIDIA …`."""
    try:
        import _cycles
    except ImportError:
        return []
    found = []
    for backend in BACKENDS:
        try:
            listed = _cycles.available_devices(backend)
        except ValueError:  # this version does not know the backend
            continue
        found += [f"{backend} {name}" for name, kind, *_ in listed if kind == backend]
    return found


def draw() -> bool:
    """Render a few pixels with Workbench."""
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.render.image_settings.file_format = "PNG"
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = os.path.join(folder, "probe.png")
        bpy.ops.render.render(write_still=True)
        return os.path.isfile(scene.render.filepath)


if "--gl" in sys.argv:
    say({"gl": draw()})
else:
    say({"version": list(bpy.app.version), "engines": engines(), "denoiser": denoiser(), "devices": devices()})
sys.stdout.flush()
# Some builds crash in their own clean-up after a good answer.
os._exit(0)
