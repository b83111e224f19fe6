"""An EXR on a screen: its layers, light as sRGB, exposure; also what a hostile file gets."""

from __future__ import annotations

import asyncio
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from farm.pictures.boxes import CannotJoinError
from farm.pictures.checker import Checker
from farm.pictures.exr import DamagedError
from farm.pictures.viewexr import layers, show

LIGHTS = (0.0, 0.18, 0.5, 1.0, 4.0)
SCREEN = (0, 118, 188, 255, 255)
"""sRGB of these lights (IEC 61966-2-1)."""


def exr(folder: Path, kind: str = "half", packed: str = "zip16") -> Path:
    """Write five grey pixels in a row by ffmpeg."""
    raw = b"".join(struct.pack(f"<{len(LIGHTS)}f", *LIGHTS) for _ in range(3))
    argv = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-s", f"{len(LIGHTS)}x1", "-i", "-"]
    target = folder / "lights.exr"
    argv += ["-c:v", "exr", "-compression", packed, "-format", kind, "-y", str(target)]
    subprocess.run(argv, input=raw, check=True)
    return target


@pytest.mark.parametrize("kind", ["half", "float"])
def test_light_is_shown_as_srgb_and_exposure_is_in_stops(tmp_path: Path, kind: str) -> None:
    path = exr(tmp_path, kind)
    assert layers(path) == [""]
    for stops in (0, 1, -2):
        shown = [pixel[1] for pixel in show(path, "", stops).get_flattened_data()]
        wanted = [_srgb(light * 2.0**stops) for light in LIGHTS]
        assert shown == pytest.approx(wanted, abs=2)
    assert [_srgb(light) for light in LIGHTS] == pytest.approx(SCREEN, abs=1)


def test_what_can_not_be_shown_is_said_and_nothing_breaks(tmp_path: Path) -> None:
    path = exr(tmp_path)
    with pytest.raises(CannotJoinError, match="no layer “Depth”"):
        show(path, "Depth", 0)
    whole = path.read_bytes()
    for cut in (3, 30, len(whole) // 2):
        path.write_bytes(whole[:cut])
        with pytest.raises(DamagedError):
            layers(path)
    path.write_bytes(whole[:-12])
    with pytest.raises(CannotJoinError, match="damaged"):
        show(path, "", 0)


def test_a_view_is_made_in_the_limited_child(tmp_path: Path) -> None:
    async def run() -> None:
        async with Checker() as checker:
            made = await checker.view(exr(tmp_path), "", 0, tmp_path / "view.webp")
            assert (made.ok, made.width, made.height) == (True, 5, 1)
            with Image.open(tmp_path / "view.webp") as picture:
                assert picture.size == (5, 1)
            (tmp_path / "no.exr").write_bytes(b"no picture")
            refused = await checker.view(tmp_path / "no.exr", "", 0, tmp_path / "no.webp")
            assert (refused.ok, "damaged" in refused.message) == (False, True)

    asyncio.run(run())


def _srgb(light: float) -> float:
    light = min(max(light, 0.0), 1.0)
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)
