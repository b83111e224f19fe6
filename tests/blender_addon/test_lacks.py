"""What a .blend lacks is named before anything is sent, with what uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.base import Offered
from farm.methods.blender.inspect import inspect
from tests.blender_addon.conftest import HERE
from tests.blenders import run_inside


@pytest.mark.blender
def test_all_that_is_missing_is_listed_with_the_object_or_material_that_uses_it(
    blender: Offered, tmp_path: Path
) -> None:
    run_inside(blender, HERE / "make_lacks.py", tmp_path / "made", str(tmp_path / "art"))
    found = inspect(tmp_path / "art" / "shot.blend", [blender])
    art = tmp_path / "art"
    assert sorted(map(str, found.missing)) == sorted(
        [
            f"image bark.png, material “Bark”: {art}/bark.png",
            f"font DejaVu Sans Mono Book, object “Title”: {art}/title.woff2",
            f"light texture Spot, object “Lamp”: {art}/spot.ies",
            f"mesh cache of object “Flag”: {art}/flag.pc2",
            f"volume Smoke, object “Smoke”: {art}/smoke.vdb",
            f"library props.blend, object “chair”: {art}/props.blend",
            f"image rust.png, material “gate”: {art}/rust.png (in the library gates.blend)",
            f"object lamp, override “Lamp in the hall”: {art}/lamps.blend (the library has it no longer)",
        ]
    )
    told = [problem for problem in found.problems({}) if found.mended_in(problem)]
    assert [Path(found.mended_in(problem)).name for problem in told] == ["lamps.blend", "gates.blend"]
    assert found.notes == (f"{art}/bell.wav is not there.",), "no picture shows a sound"
