from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from farm.methods.blender import libraries
from farm.words.errors import NotASetup

needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="only where apt is")


@needs_apt
def test_a_person_without_rights_gets_the_one_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(libraries, "LISTS", tmp_path)
    (tmp_path / "deb_main_binary-amd64_Packages.lz4").touch()
    with pytest.raises(NotASetup) as caught:
        libraries.install(["libSM.so.6", "libEGL.so.1"], lambda _: None)
    packages = "libegl-mesa0 libegl1 libgl1-mesa-dri libsm6"
    assert caught.value.hint == f"Run: sudo apt-get install -y --no-install-recommends {packages}"
    assert "libSM.so.6, libEGL.so.1" in caught.value.message


@needs_apt
def test_where_apt_knows_no_packages_yet_the_command_fetches_its_lists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(libraries, "LISTS", tmp_path)
    with pytest.raises(NotASetup) as caught:
        libraries.install(["libSM.so.6"], lambda _: None)
    assert caught.value.hint == "Run: sudo apt-get update && sudo apt-get install -y --no-install-recommends libsm6"
