from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from farm.methods.base import Launcher, MethodConfig, Offered
from farm.methods.blender import libraries, provision, trial
from farm.methods.blender.find import find, version_key
from farm.methods.blender.method import BlenderMethod, environment
from farm.methods.blender.places import candidates, named
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet, Offer
from farm.slave.hardware import hardware
from farm.words.errors import BadSetting, NotASetup


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_program_that_is_no_blender_is_passed_over_and_tried_again(tmp_path: Path) -> None:
    program = script(tmp_path / "blender", "echo hello; exit 0")
    assert trial.try_it(Launcher("program", program), tmp_path / "cache").problem == "hello"
    assert not (tmp_path / "cache").exists()


def test_a_named_program_that_does_not_work_is_an_error_with_its_name(tmp_path: Path) -> None:
    program = script(tmp_path / "blender", "echo no display >&2; exit 3")
    with pytest.raises(NotASetup, match="no display") as caught:
        find(MethodConfig(programs=(program,), search=False))
    assert str(program) in caught.value.message
    assert caught.value.hint
    with pytest.raises(NotASetup, match="no such file"):
        find(MethodConfig(programs=(tmp_path / "nothing",), search=False))


def test_answers_are_remembered_until_the_program_changes(tmp_path: Path) -> None:
    answer = json.dumps({"version": [4, 2, 1], "engines": ["CYCLES"], "denoiser": True, "cards": []})
    text = f"echo tried >> {tmp_path}/count; printf '\\036%s\\n' '{answer}'"
    program, cache = script(tmp_path / "blender", text), tmp_path / "cache.json"
    for _ in range(3):
        (found,) = find(MethodConfig(programs=(program,), search=False, cache=cache))
    assert found.offer.version == "4.2.1"
    assert found.offer.cannot, "it answers, but renders nothing"
    assert hardware(["OPTIX RTX"]).devices[1:] == ["OPTIX RTX"]
    assert (tmp_path / "count").read_text().count("tried") == 2, "one run for the version, one for rendering"
    script(program, text + " # changed")
    find(MethodConfig(programs=(program,), search=False, cache=cache))
    assert (tmp_path / "count").read_text().count("tried") == 4


def test_a_damaged_memory_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("{")
    program = script(tmp_path / "blender", "exit 1")
    assert trial.try_it(Launcher("program", program), tmp_path / "cache").problem


def test_folders_and_pythons_can_be_named(tmp_path: Path) -> None:
    blender = script(tmp_path / "blender-4.5" / "blender", "")
    python = script(tmp_path / "env" / "bin" / "python", "")
    assert named(tmp_path / "blender-4.5") == Launcher("program", blender)
    assert named(tmp_path / "env") == Launcher("bpy", python)
    assert named(python).kind == "bpy"
    listed = list(candidates(MethodConfig(environments=(tmp_path,), search=False)))
    assert listed == [Launcher("bpy", python)]


def test_versions_compare_as_numbers() -> None:
    assert sorted(["4.10.1", "4.2.23", "4.5.0"], key=version_key) == ["4.2.23", "4.5.0", "4.10.1"]


def test_a_renderer_sees_no_secrets_and_has_a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTREN_PASSWORD", "secret")
    seen = environment(tmp_path)
    assert "secret" not in seen.values()
    assert seen["HOME"] == str(tmp_path)


def test_the_first_message_names_source_settings_and_new_places(tmp_path: Path) -> None:
    sheet = JobSheet(
        job=1,
        revision=1,
        address="",
        name="a",
        method="blender",
        version="",
        newer=True,
        engine="",
        limits=Limits(),
        files=[],
        settings={"samples": 8, "scripts": True, "relocate": json.dumps({"C:/show": "."})},
        source="shots/a.blend",
    )
    offered = Offered(Offer(method="blender"), Launcher("program", Path("/opt/blender/blender")))
    launch = BlenderMethod().launch(offered, sheet, tmp_path / "job", tmp_path)
    assert launch.argv[0] == "/opt/blender/blender"
    assert launch.argv.index("--python-exit-code") < launch.argv.index("--python")
    assert launch.open["source"] == str(tmp_path / "job" / "shots" / "a.blend")
    assert launch.open["relocate"] == {"C:/show": str(tmp_path / "job")}
    assert launch.open["settings"] == {"samples": 8, "scripts": True}
    with pytest.raises(BadSetting):
        BlenderMethod().launch(offered, sheet.model_copy(update={"settings": {"relocate": "["}}), tmp_path, tmp_path)


def test_missing_libraries_end_in_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    with pytest.raises(NotASetup) as caught:
        libraries.install(["libSM.so.6", "libEGL.so.1"], lambda _: None)
    assert caught.value.hint.startswith("Run: sudo apt-get install -y")
    assert caught.value.hint.endswith("libegl-mesa0 libegl1 libgl1-mesa-dri libsm6")


def test_a_python_without_a_wheel_says_which_ones_have(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(provision, "_python", lambda _: None)
    with pytest.raises(NotASetup, match=r"3\.11 and 3\.13"):
        provision.provision(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at programs as Linux has them")
@pytest.mark.blender
def test_real_blenders_tell_version_and_engines(blender: Offered) -> None:
    assert version_key(blender.offer.version) >= (3, 0)
    assert {"CYCLES", "BLENDER_WORKBENCH"} <= set(blender.offer.engines)
