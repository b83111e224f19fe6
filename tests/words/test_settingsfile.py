from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from farm.words import settingsfile
from farm.words.errors import BadSetting


def test_what_a_person_wrote_stays_beside_what_is_set(tmp_path: Path) -> None:
    file = tmp_path / "new" / "slave.conf"
    settingsfile.update(file, {"server": "http://a", "slots": 2})
    file.write_text(file.read_text() + '# mine\nblender = [\n  "/opt/b",\n]\n')
    settingsfile.update(file, {"server": 'b"\\\x7f', "provision": True, "bpy": ["x", "y"]})
    expected = {"server": 'b"\\\x7f', "slots": 2, "blender": ["/opt/b"], "provision": True, "bpy": ["x", "y"]}
    assert tomllib.loads(file.read_text()) == expected
    assert "# mine" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["slave.conf"]


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "slave.conf"
    file.write_text("server =")
    with pytest.raises(BadSetting):
        settingsfile.update(file, {"server": "http://a"})
    assert file.read_text() == "server ="
