"""Render in two stages: first passes only, then what has to see the whole picture, the denoiser and the compositor.

The second stage renders nothing. It gives Blender the passes of the first as those that Cycles made, so all that
follows (denoising, compositing, colours, files) is done by Blender and Cycles themselves, as ever.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from typing import Any

import bpy

from farm.methods.inside.trouble import SLAVE, Trouble

from . import engines, expected, layered

RENDER, FINISH = "render", "finish"
"""The setting `stage`; without it, both at once."""

_DENOISED, _NOISY = "Combined", "Noisy Image"
_GUIDES = ("Combined", "Denoising Normal", "Denoising Albedo")
"""The passes that the denoiser looks at."""


def only_passes(scene: Any) -> None:
    """Make a scene render all that the second stage needs, as OpenEXR without loss."""
    if scene.cycles.use_denoising:
        for layer in scene.view_layers:
            layer.cycles.denoising_store_passes = layer.cycles.denoising_store_passes or layer.cycles.use_denoising
    scene.cycles.use_denoising = scene.render.use_compositing = False
    scene.render.use_file_extension = True
    image = scene.render.image_settings
    if hasattr(image, "media_type"):  # 5.0 sorts the formats into kinds
        image.media_type = "MULTI_LAYER_IMAGE"
    image.file_format, image.color_depth, image.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIP"
    if hasattr(image, "color_management"):  # what the file is to be converted to is for the second stage
        image.color_management = "FOLLOW_SCENE"


class Finisher:
    """Stands where Cycles does, and gives Blender the passes that were rendered before.

    Args:
        scene: whose pictures are finished.

    Raises:
        Trouble: they are of another engine.
    """

    def __init__(self, scene: Any) -> None:
        if scene.render.engine != "CYCLES":
            raise Trouble(f"Pictures of {scene.render.engine} can't be finished later: only those of Cycles can.")
        self._scene = scene
        self._picture: layered.Layered | None = None
        self._path = ""
        self._stand_in()

    def take(self, root: str, depends: list[str]) -> None:
        """Look for the picture that a frame finishes among the files of those that it waited for.

        Raises:
            Trouble: there is none, there are several, or it has another size.
        """
        folders = [os.path.join(root, folder) for folder in depends]
        found = [os.path.join(at, n) for folder in folders for at, _, names in os.walk(folder) for n in names]
        passes = [path for path in found if path.endswith(".exr")]
        if len(passes) != 1:
            raise Trouble(f"A frame finishes one OpenEXR of passes, but this one waits for {len(passes)}.")
        self._path, self._picture = passes[0], layered.Layered(passes[0])
        if self._picture.size != expected.whole_size(self._scene):
            wide, high = self._picture.size
            raise Trouble(f"The passes are {wide}x{high} pixels large, but the scene's pictures are not.")

    def _stand_in(self) -> None:
        kinds = bpy.types.RenderEngine.__subclasses__()
        cycles: Any = next(kind for kind in kinds if getattr(kind, "bl_idname", "") == "CYCLES")

        def update(engine: Any, data: Any, depsgraph: Any) -> None:
            """Prepare nothing: nothing is rendered."""

        def render(engine: Any, depsgraph: Any) -> None:
            self._fill(engine, depsgraph.view_layer.name)

        cycles.update, cycles.render = update, render
        engines.watch()

    def _fill(self, engine: Any, layer: str) -> None:
        assert self._picture is not None
        result = engine.begin_result(0, 0, *self._picture.size, layer=layer)
        result.load_from_file(self._path)
        for name, value in self._picture.texts.items():
            result.stamp_data_add_field(name, value)
        if self._scene.cycles.use_denoising and self._scene.view_layers[layer].cycles.use_denoising:
            self._denoise({one.name: one for one in result.layers[0].passes}, layer)
        engine.end_result(result)

    def _denoise(self, passes: dict[str, Any], layer: str) -> None:
        """Denoise a layer by Cycles' own denoiser; what it writes apart from colours stays as it was rendered."""
        assert self._picture is not None
        pixels = _get(passes[_DENOISED])
        if _NOISY in passes:
            _put(passes[_NOISY], pixels)
        names = {f"{layer}.{name}.{c}": name for name in _GUIDES for c in ("XYZ" if "Normal" in name else "RGB")}
        channels = self._picture.channels(tuple(names))
        if set(names) - set(channels):
            raise Trouble(f"The layer {layer} was rendered without the passes that its denoiser needs.")
        clean = _denoised(self._scene, layer, channels)
        for place, colour in enumerate("RGB"):
            pixels[place::4] = array("f", clean[f"{layer}.{_DENOISED}.{colour}"].tobytes())
        _put(passes[_DENOISED], pixels)


def _denoised(scene: Any, layer: str, channels: dict[str, Any]) -> dict[str, Any]:
    """Return what Cycles makes of noisy channels; it wants them in a file, from the lowest row on, and motion, too."""
    import _cycles
    import numpy

    still = numpy.zeros_like(next(iter(channels.values())))
    # The lowest row first is how Cycles holds what it renders. Its denoiser of files does not turn them over.
    turned = {name: rows[::-1] for name, rows in channels.items()} | {f"{layer}.Vector.{c}": still for c in "XYZW"}
    pointers = [thing.as_pointer() for thing in (bpy.context.preferences, scene, scene.view_layers[layer])]
    with tempfile.TemporaryDirectory(prefix="denoise-") as folder:
        noisy, clean = os.path.join(folder, "noisy.exr"), os.path.join(folder, "clean.exr")
        layered.write(noisy, turned, {f"cycles.{layer}.samples": "1"})
        try:
            _cycles.denoise(*pointers, input=[noisy], output=[clean])
        except (ValueError, RuntimeError) as error:
            raise Trouble(f"The denoiser failed: {error}", SLAVE) from error
        found = layered.Layered(clean).channels((f"{layer}.{_DENOISED}.",))
    return {name: rows[::-1].copy() for name, rows in found.items()}


def _get(one: Any) -> array[float]:
    """Return the values of a pass."""
    values = array("f", bytes(4 * len(one.rect) * one.channels))
    try:
        one.rect.foreach_get(values)
    except TypeError:  # 3.x counts pixels only
        return array("f", [value for pixel in one.rect for value in pixel])
    return values


def _put(one: Any, values: array[float]) -> None:
    """Set the values of a pass."""
    try:
        one.rect.foreach_set(values)
    except TypeError:
        width = one.channels
        one.rect = [values[at : at + width] for at in range(0, len(values), width)]
