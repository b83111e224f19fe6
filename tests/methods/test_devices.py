"""Devices: tried, chosen, and what becomes of those that don't work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from farm.methods.base import Device, Launcher, MethodConfig, Offered
from farm.methods.blender import trial
from farm.methods.blender.drivers import drivers
from farm.methods.blender.find import find
from farm.methods.blender.inspect import inspect
from farm.methods.blender.method import DRIVER, BlenderMethod
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet, Offer
from farm.slave.devices import in_use, selected, slots_of, way
from farm.words.errors import NotASetup
from farm.words.settings import SlaveSettings
from tests.blenders import run_inside
from tests.methods.talk import Child

OPTIX = Device("OPTIX", "CUDA_RTX_0000:01:00_OptiX", "RTX", "0000:01:00")
CUDA = Device("CUDA", "CUDA_RTX_0000:01:00", "RTX", "0000:01:00")
SECOND = Device("CUDA", "CUDA_RTX_0000:02:00", "RTX", "0000:02:00")


def test_a_session_renders_on_the_chosen_card_alone_or_on_the_processor(blender: Offered, tmp_path: Path) -> None:
    out = tmp_path / "said.json"
    run_inside(blender, Path(__file__).parent / "try_devices.py", tmp_path / "run", str(DRIVER.parent), str(out))
    said = json.loads(out.read_text())
    listed = {(card["kind"], card["id"]): card["card"] for card in said["cards"]}
    assert listed["OPTIX", OPTIX.id] == listed["CUDA", CUDA.id] == OPTIX.card, "two ways to one card"
    assert listed["HIP", "HIP_RX"] != listed["HIP", "HIP_RX2"], "two cards of one name"
    gpu = None if blender.offer.version.startswith("3.") else True
    both = {"of": ["GPU", "GPU"], "denoise_gpu": gpu}
    assert said["optix"] == {"kind": "OPTIX", "used": [OPTIX.id], **both}
    assert said["cuda"] == {"kind": "CUDA", "used": [SECOND.id], **both}
    assert said["cpu"]["of"] == ["CPU", "CPU"], "also of scenes that the compositor renders along"
    assert said["cpu"]["kind"] == "NONE"
    assert not said["cpu"]["denoise_gpu"]
    kind, text = said["gone"]
    assert kind == "slave"
    assert SECOND.id in text


def test_what_is_offered_was_rendered_with(blender: Offered) -> None:
    answer = trial.try_it(blender.launcher)
    assert "CYCLES" in answer.engines
    assert "BLENDER_WORKBENCH" in answer.engines
    assert any(engine.startswith("BLENDER_EEVEE") for engine in answer.engines)
    assert answer.drawer
    assert answer.software == ("llvmpipe" in answer.drawer)
    assert trial.try_card(blender.launcher, CUDA).startswith("The graphics card"), "this one is on no machine"


def pretend(path: Path, *runs: str, at: str) -> Launcher:
    """Return a program that answers like a Blender: by its first argument behind `--`."""
    path.write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\n' + at + "\n" + "\n".join(runs))
    path.chmod(0o755)
    return Launcher("program", path)


FACTS = json.dumps(
    {
        "version": [4, 5, 2],
        "engines": ["CYCLES", "BLENDER_WORKBENCH", "BLENDER_EEVEE_NEXT", "LUXCORE"],
        "denoiser": True,
        "cards": [{"kind": d.kind, "id": d.id, "name": d.name, "card": d.card} for d in (OPTIX, CUDA, SECOND)],
    }
)
CASES = f"""
say() {{ printf '\\036%s\\n' "$1"; }}
good() {{ say "{{\\"tried\\": \\"$1\\", \\"drawn\\": true, \\"reason\\": \\"\\", \\"gl\\": \\"NVIDIA RTX\\"}}"; }}
case "$1" in
--try) shift; for e; do case $e in
  LUXCORE) echo Segmentation fault; exit 139;;
  *) good $e;; esac; done;;
--card) case "$2" in
  OPTIX) echo OptiX driver too old; exit 1;;
  *) good CYCLES;; esac;;
*) say '{FACTS}';;
esac
"""


def test_engines_and_cards_that_fail_are_not_offered_but_named_with_the_reason(tmp_path: Path) -> None:
    launcher = pretend(tmp_path / "blender", at=CASES)
    (found,) = find(MethodConfig(programs=(launcher.program,), search=False, cards=True))
    assert found.offer.engines == ["CYCLES", "BLENDER_WORKBENCH", "BLENDER_EEVEE_NEXT", "CYCLES+OIDN"]
    assert found.offer.software == []
    assert found.offer.cannot == ["LUXCORE: Segmentation fault", "OPTIX RTX: OptiX driver too old"]
    assert found.cards == (CUDA, SECOND)


def offered(*cards: Device) -> list[Offered]:
    return [Offered(Offer(method="blender"), Launcher("program", Path("/blender")), cards)]


@pytest.mark.parametrize(
    ("settings", "used"),
    [
        ({}, [OPTIX, CUDA, SECOND]),
        ({"gpus": ["none"]}, []),
        ({"gpus": ["1"]}, [SECOND]),
        ({"gpus": ["0000:01:00"]}, [OPTIX, CUDA]),
        ({"gpus": ["rtx"]}, [OPTIX, CUDA, SECOND]),
        ({"gpu_kinds": ["CUDA"]}, [CUDA, SECOND]),
        ({"gpu_kinds": ["HIP"]}, []),
    ],
)
def test_slave_conf_chooses_cards_and_the_way_to_them(settings: dict[str, list[str]], used: list[Device]) -> None:
    (one,) = selected(offered(OPTIX, CUDA, SECOND), SlaveSettings(**settings))
    assert list(one.cards) == used
    assert one.offer.devices == [str(card) for card in used]
    assert in_use([one]) == [card for card in used if card != CUDA or OPTIX not in used], "one slot for each card"


def test_a_job_that_demands_a_way_gets_the_card_by_it_and_others_by_the_best() -> None:
    (one,) = selected(offered(OPTIX, CUDA, SECOND), SlaveSettings())
    assert way(one, OPTIX.card, "") == way(one, OPTIX.card, "gpu") == way(one, OPTIX.card, "optix") == OPTIX
    assert way(one, OPTIX.card, "cuda") == CUDA
    assert way(one, SECOND.card, "optix") is None
    assert slots_of(OPTIX, [one]) == {"gpu", "optix", "cuda"}
    assert slots_of(SECOND, [one]) == {"gpu", "cuda"}


def test_a_card_that_is_not_there_is_said_and_no_slot_at_all_is_refused() -> None:
    (one,) = selected(offered(OPTIX), SlaveSettings(gpus=["GTX 480", "0"]))
    assert one.offer.cannot == ["gpus = GTX 480: there is no such card that works."]
    (alone,) = selected(offered(OPTIX), SlaveSettings(slots=0))
    assert not alone.offer.processor
    with pytest.raises(NotASetup, match="slots = 0"):
        selected(offered(), SlaveSettings(slots=0))


def test_another_driver_is_tried_anew(tmp_path: Path) -> None:
    version = tmp_path / "proc" / "driver" / "nvidia" / "version"
    version.parent.mkdir(parents=True)
    version.write_text("550.1")
    before = drivers(tmp_path)
    assert drivers(tmp_path) == before
    version.write_text("560.2")
    assert drivers(tmp_path) != before


SAVE = """
import sys, bpy
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.device = "GPU"
scene.cycles.use_denoising = False
scene.render.resolution_x = scene.render.resolution_y = 8
scene.cycles.samples = 1
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def test_a_file_says_what_it_is_rendered_on_and_a_session_obeys_its_slot(blender: Offered, tmp_path: Path) -> None:
    (tmp_path / "save.py").write_text(SAVE)
    blend = tmp_path / "job" / "shot.blend"
    blend.parent.mkdir()
    run_inside(blender, tmp_path / "save.py", tmp_path / "run", str(blend))
    found = inspect(blend, [blender])
    assert found.device({}, "file") == "gpu"
    assert found.device({}, "cpu") == "cpu"
    assert found.device({}, "any") == "any"
    assert found.device({"engine": "BLENDER_WORKBENCH"}, "file") == ""
    sheet = JobSheet(
        job=1, revision=1, address="", name="shot", method="blender", version="", newer=True, engine="CYCLES",
        settings={}, source="shot.blend", limits=Limits(), files=[],
    )  # fmt: skip
    launch = BlenderMethod().launch(blender, sheet, blend.parent, tmp_path)
    with Child(launch, tmp_path / "log") as child:
        opened = child.ask(child.opening)
        assert opened["facts"]["device"] == "CPU"
        gone = child.ask({**child.opening, "device": {"kind": "CUDA", "id": CUDA.id}})
        assert (gone["event"], gone["class"]) == ("failed", "slave")
        assert CUDA.id in gone["message"]
