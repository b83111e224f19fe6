"""The add-on in a real window, clicked by xdotool. Drawn by the processor, so it takes minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blender_addon import tour
from tests.blenders import blenders


@pytest.mark.blender
@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_an_artist_connects_is_told_what_is_missing_renders_watches_and_cancels(tmp_path: Path) -> None:
    program = next((b for b in blenders() if b.launcher.kind == "program"), None)
    if program is None:
        pytest.skip("the bpy package has no windows")
    tour.go(program, tmp_path)
    assert len(list(tmp_path.glob("addon-*.webp"))) == 5
