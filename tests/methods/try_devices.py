"""Run inside a Blender: choose devices, from preferences that are a fake (no graphics card is needed for this).

What is real: Blender, its scenes, and what is set on them. What is not: the list of cards.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import bpy

inside, out = sys.argv[-2:]
shared = str(Path(inside).parents[1] / "inside")
for name, folder in (("distren_inside", inside), ("farm", ""), ("farm.methods", ""), ("farm.methods.inside", shared)):
    package = types.ModuleType(name)
    package.__path__ = [folder] if folder else []  # type: ignore[attr-defined]
    sys.modules[name] = package
devices = importlib.import_module("distren_inside.devices")


class FakePreferences:
    """Stands for Cycles' preferences on a machine with two NVIDIA cards and one that vanishes."""

    FAKE: ClassVar = {
        "CUDA": [("CUDA_RTX_0000:01:00", "RTX"), ("CUDA_RTX_0000:02:00", "RTX")],
        "OPTIX": [("CUDA_RTX_0000:01:00_OptiX", "RTX")],
        "HIP": [("HIP_RX", "RX"), ("HIP_RX2", "RX")],
    }

    def __init__(self) -> None:
        self._kind = "NONE"
        self.devices = [
            SimpleNamespace(id=i, name=n, type=kind, use=True) for kind, ones in self.FAKE.items() for i, n in ones
        ]
        self.devices.append(SimpleNamespace(id="CPU", name="CPU", type="CPU", use=True))

    @property
    def compute_device_type(self) -> str:
        return self._kind

    @compute_device_type.setter
    def compute_device_type(self, kind: str) -> None:
        if kind not in ("NONE", *self.FAKE):
            raise TypeError(kind)
        self._kind = kind

    def refresh_devices(self) -> None:
        pass


fake = FakePreferences()
devices._preferences = lambda: fake
scene = bpy.context.scene
scene.render.engine = "CYCLES"
other = bpy.data.scenes.new("in the compositor")
other.render.engine = "CYCLES"
scene.cycles.use_denoising = other.cycles.use_denoising = True
said: dict[str, object] = {"cards": devices.cards()}


def used() -> dict[str, object]:
    gpu = getattr(scene.cycles, "denoising_use_gpu", None)
    devices_used = sorted(device.id for device in fake.devices if device.use)
    rendered_on = [one.cycles.device for one in (scene, other)]
    return {"kind": fake.compute_device_type, "used": devices_used, "of": rendered_on, "denoise_gpu": gpu}


devices.use("OPTIX", "CUDA_RTX_0000:01:00_OptiX")
said["optix"] = used()
devices.use("CUDA", "CUDA_RTX_0000:02:00")
said["cuda"] = used()
devices.use("CPU")
said["cpu"] = used()
fake.devices = [device for device in fake.devices if device.id != "CUDA_RTX_0000:02:00"]
try:
    devices.use("CUDA", "CUDA_RTX_0000:02:00")
except devices.Trouble as error:
    said["gone"] = [error.kind, str(error)]
Path(out).write_text(json.dumps(said))
