"""Run inside a Blender: tell what it is, and try what it can by rendering a few pixels.

Without arguments it tells version, engines, denoiser and graphics cards. With
`--try` it renders with each engine that follows, with `--addon FOLDER NAME` before it
those of an add-on; with `--card KIND ID` with Cycles on one card. Each answer is a line that
begins with the record separator, so that Blender's own lines around it don't matter. Trials
are runs of their own, since a Blender without EGL, or with a broken driver, aborts the whole
process.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import tempfile
import types
from typing import Any

HOME = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != HOME]

import bpy  # noqa: E402  (our modules must not hide those that it imports)

SHARED = os.path.normpath(os.path.join(HOME, os.pardir, os.pardir, "inside"))
for name, folder in (("distren_inside", HOME), ("farm", ""), ("farm.methods", ""), ("farm.methods.inside", SHARED)):
    package: Any = types.ModuleType(name)
    package.__path__ = [folder] if folder else []
    sys.modules[name] = package
addons: Any = importlib.import_module("distren_inside.addons")
devices: Any = importlib.import_module("distren_inside.devices")
watched: Any = importlib.import_module("distren_inside.engines")

DRAWN = ("BLENDER_WORKBENCH", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT")
"""Engines that draw by GL."""

ENGINES = ("CYCLES", *DRAWN)
NOT_FOR_FILES = ("HYDRA_STORM",)
"""Engines that come along without being meant for final pictures."""


def say(facts: dict[str, Any]) -> None:
    """Write an answer."""
    os.write(1, ("\n\x1e" + json.dumps(facts) + "\n").encode())


def engines() -> list[str]:
    """Return the ids of the engines that this Blender accepts: its own, and those that add-ons registered."""
    found = []
    for engine in dict.fromkeys([*ENGINES, *addons.engines()]):
        try:
            bpy.context.scene.render.engine = engine
        except TypeError:
            continue
        if engine not in NOT_FOR_FILES:
            found.append(engine)
    return found


def denoiser() -> bool:
    """Tell whether Cycles has OpenImageDenoise; builds of distributions may lack it."""
    try:
        import _cycles
    except ImportError:
        return False
    return bool(getattr(_cycles, "with_openimagedenoise", False))


def cards() -> list[dict[str, str]]:
    """Return the graphics cards that Cycles lists."""
    try:
        found: list[dict[str, str]] = devices.cards()
    except Exception as error:  # noqa: BLE001  a driver in disorder must not cost the processor's engines
        print(error)
        return []
    return found


def draw(engine: str) -> bool:
    """Render a few pixels."""
    scene = bpy.context.scene
    scene.render.engine = engine
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.render.image_settings.file_format = "PNG"
    if engine == "CYCLES":
        scene.cycles.samples = 1
        scene.cycles.use_denoising = denoiser()
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = os.path.join(folder, "probe.png")
        bpy.ops.render.render(write_still=True)
        return os.path.isfile(scene.render.filepath)


def drawer() -> str:
    """Return what draws for engines of GL; only after a drawing, before it 3.4 crashes."""
    try:
        import gpu  # type: ignore[import-not-found]

        return f"{gpu.platform.vendor_get()} {gpu.platform.renderer_get()}, {gpu.platform.version_get()}"
    except Exception as error:  # noqa: BLE001  it is worth a word, not a failure
        print(error)
        return ""


def build() -> str:
    """Return what tells this build from others of its version, which may round otherwise."""
    known = ("build_hash", "build_date", "build_time", "build_platform", "build_type", "build_cxxflags", "build_system")
    facts = [getattr(bpy.app, name, b"") for name in known]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def trial(engine: str, *device: str) -> None:
    """Render with an engine, and say what came of it."""
    say({"trying": engine})
    try:
        if device:
            bpy.context.scene.render.engine = engine
            devices.use(*device)
        watched.watch()
        drawn, reason = draw(engine), ""
        watched.check(bpy.context.scene.frame_current)
    except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
        drawn, reason = False, str(error).strip()
    say({"tried": engine, "drawn": drawn, "reason": reason, "gl": drawer() if drawn and engine in DRAWN else ""})


arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
if arguments[:1] == ["--addon"]:
    addons.enable(*arguments[1:3])
    arguments = arguments[3:]
if arguments[:1] == ["--try"]:
    for name in arguments[1:]:
        trial(name)
elif arguments[:1] == ["--card"]:
    trial("CYCLES", *arguments[1:])
else:
    facts = {"version": list(bpy.app.version), "engines": engines(), "denoiser": denoiser(), "build": build()}
    say({**facts, "cards": cards()})
sys.stdout.flush()
# Some builds crash in their own clean-up after a good answer.
os._exit(0)
