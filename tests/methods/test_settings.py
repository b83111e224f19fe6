from __future__ import annotations

from typing import Any

import pytest

from farm.methods.blender.describe import description
from farm.methods.registry import METHODS
from farm.methods.settings import checked_settings
from farm.words.errors import BadSetting


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"samples": "64"}, {"samples": 64}),
        ({"samples": 64.0, "camera": None}, {"samples": 64}),
        ({"denoising": "off"}, {"denoising": False}),
        ({"format": "PNG"}, {"format": "PNG"}),
    ],
)
def test_settings_come_out_in_their_types(given: dict[str, Any], read: dict[str, Any]) -> None:
    assert checked_settings(description(), given) == read


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"sampels": 1}, "sampels"),
        ({"samples": 0}, "at least 1"),
        ({"samples": "many"}, "whole number"),
        ({"samples": True}, "whole number"),
        ({"resolution_x": 1e9}, "at most"),
        ({"format": "FFMPEG"}, "one of"),
        ({"denoising": "perhaps"}, "on or off"),
        ({"scene": ["a"]}, "text"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(given: dict[str, Any], word: str) -> None:
    with pytest.raises(BadSetting, match=word):
        checked_settings(description(), given)


def test_every_method_describes_itself() -> None:
    for name, method in METHODS.items():
        said = method.describe()
        assert said.name == name == method.name
        assert said.help
        assert all(s.help and s.title for s in said.settings)
        assert checked_settings(said, {s.name: s.default for s in said.settings}) is not None
