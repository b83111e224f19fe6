"""One source rendered several ways, by real renderers: each picture is what its settings give alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from farm.words.states import JobState
from tests.blenders import blenders, run_inside
from tests.farm.artist import Artist, start_slave
from tests.farm.farm import Farm, running
from tests.farm.test_forms import curl, form, pixels  # noqa: F401  a fixture

SCENE = """import bpy, sys
folder = sys.argv[sys.argv.index("--") + 1]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples, scene.cycles.use_denoising = 2, False
scene.render.resolution_x, scene.render.resolution_y = 32, 24
scene.frame_start, scene.frame_end = 1, 2
scene.render.filepath = "//pictures/shot_"
for name, place in (("Near", 4), ("Far", 9)):
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    camera.location.z = place
    scene.collection.objects.link(camera)
    scene.camera = camera
bpy.ops.mesh.primitive_monkey_add()
bpy.context.object.keyframe_insert("rotation_euler", frame=1)
bpy.context.object.rotation_euler.z = 1
bpy.context.object.keyframe_insert("rotation_euler", frame=2)
bpy.context.object.modifiers.new("Mirror", "MIRROR")
light = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
light.rotation_euler.x = 0.5
scene.collection.objects.link(light)
scene.view_layers[0].name = "All"
empty = scene.view_layers.new("Nothing")
empty.layer_collection.exclude = True
for layer in empty.layer_collection.children:
    layer.exclude = True
bpy.ops.wm.save_as_mainfile(filepath=folder + "/shot.blend")
for name, (settings, lines) in eval(sys.argv[sys.argv.index("--") + 2]).items():
    bpy.ops.wm.open_mainfile(filepath=folder + "/shot.blend")
    scene, view_layer = bpy.context.scene, bpy.context.scene.view_layers["All"]
    exec(lines)
    for frame in (1, 2):
        scene.frame_set(frame)
        scene.render.filepath = f"{folder}/alone/{name}/shot_{frame:04d}.png"
        bpy.ops.render.render(write_still=True)
"""
SETS: dict[str, tuple[dict[str, Any], str]] = {
    "near": ({"camera": "Near"}, "scene.camera = bpy.data.objects['Near']"),
    "half": (
        {"resolution_percentage": 50, "samples": 5},
        "scene.render.resolution_percentage, scene.cycles.samples = 50, 5",
    ),
    "clear": (
        {"scene.render.film_transparent": True, "scene.view_settings.exposure": 1.5, "view_layer": "All"},
        "scene.render.film_transparent, scene.view_settings.exposure = True, 1.5\n"
        "scene.view_layers['Nothing'].use = False",
    ),
    "plain": ({}, ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .blend, and what a fresh Blender makes of it with each set's settings."""
    folder = tmp_path_factory.mktemp("film")
    (folder / "make.py").write_text(SCENE)
    run_inside(blenders()[0], folder / "make.py", folder / "scratch", str(folder), repr(SETS))
    return folder


@pytest.fixture(scope="module")
def blender_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    with running(tmp_path_factory.mktemp("farm"), quick=True) as farm:
        start_slave(farm, "ws01", blenders()[0])
        yield farm


@pytest.mark.blender
@pytest.mark.xdist_group("a farm of Blenders")
def test_each_set_renders_all_frames_as_a_fresh_blender_does(blender_farm: Farm, film: Path, tmp_path: Path) -> None:
    told = {"sets": {name: settings for name, (settings, _) in SETS.items()}, "frames": {"2": {"samples": 7}}}
    (film / "sets.json").write_text(json.dumps(told))
    artist = Artist(blender_farm, blenders()[0], tmp_path / "home")
    said = artist.says("submit", film / "shot.blend", "--params", film / "sets.json", "--fetch", tmp_path / "got")
    assert said.code == 0, said
    job = blender_farm.client.jobs().jobs[0]
    assert [(one.name, one.frames) for one in job.sets][:2] == [("near", "1-2"), ("half", "10001-10002")]
    assert job.counts.done == len(SETS) * 2
    names = {path.relative_to(tmp_path / "got").as_posix() for path in (tmp_path / "got").rglob("*.png")}
    assert names == {f"{name}/shot_{frame:04d}.png" for name in SETS for frame in (1, 2)}
    for name in SETS:
        first = f"{name}/shot_0001.png"
        assert pixels(tmp_path / "got" / first) == pixels(film / "alone" / first), name
    frame = blender_farm.client.frame(job.job, 10002)
    assert (frame.picture, frame.set) == (2, "half")
    second = "plain/shot_0002.png"
    assert pixels(tmp_path / "got" / second) != pixels(film / "alone" / second), "seven samples, not two"


@pytest.mark.blender
@pytest.mark.xdist_group("a farm of Blenders")
def test_what_a_set_can_not_have_is_named_before_anything_is_sent(
    blender_farm: Farm, film: Path, tmp_path: Path
) -> None:
    artist = Artist(blender_farm, blenders()[0], tmp_path / "home")
    wrong = {
        "[sets.a]\nsampels = 3": "sets.toml: set “a”: The method blender has no setting “sampels”",
        "[sets.a]\ncamera = 'Gone'": "set “a”: The file has no camera “Gone”. It has: ",
    }
    for text, words in wrong.items():
        (tmp_path / "sets.toml").write_text(text)
        said = artist.says("submit", film / "shot.blend", "--params", tmp_path / "sets.toml")
        assert said.code not in (0, 1), said
        assert words in f"{said.out} {said.err}"


def test_a_form_renders_a_scene_with_several_values(lite_farm: Farm, curl: Any, tmp_path: Path) -> None:  # noqa: F811
    films = tmp_path / "films"
    (films / "box.pov").write_text(
        "#version 3.7; global_settings { assumed_gamma 1 } camera { location -4*z look_at 0 }\n"
        "light_source { <2, 4, -5> rgb 1 } sphere { 0, Size pigment { rgb <clock, 1, 0.3> } }\n"
    )
    (films / "sets.toml").write_text(
        "[[axes]]\nsmall = { declare = { Size = 0.5 } }\nlarge = { declare = { Size = 1.5 } }\n"
        "[[axes]]\nlow = { quality = 0 }\nwide = { width = 64 }\n"
    )
    fields = ("scene=@box.pov", "params=@sets.toml", "frames=1-3", "width=32", "height=24")
    sent = json.loads(curl("/api/jobs/povray", *form(*fields)).stdout)
    lite_farm.start_slave(methods="povray")
    assert lite_farm.ended(sent["job"]).state is JobState.DONE
    names = [file.name for file in lite_farm.output(sent["job"])]
    assert names[::3] == [f"{one}/box1.png" for one in ("small-low", "small-wide", "large-low", "large-wide")]
    curl(f"/api/jobs/{sent['job']}/output/30002/large-wide/box2.png", "-o", str(tmp_path / "got.png"))
    argv = ["povray", "box.pov", "Declare=Size=1.5", "+W64", "+H24", "+KFI1", "+KFF3", "+SF2", "+EF2", "-D"]
    subprocess.run(argv, cwd=films, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert pixels(tmp_path / "got.png") == pixels(films / "box2.png")
    with Image.open(tmp_path / "got.png") as image:
        assert image.size == (64, 24)
    (films / "sets.toml").write_text("[sets.a]\nqualty = 1")
    refused = json.loads(curl("/api/jobs/povray", *form(*fields)).stdout)
    assert refused["detail"] == "sets.toml: set “a”: The method povray has no setting “qualty”."
