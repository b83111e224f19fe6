"""Compositing after layers: a .blend of an artist's own that reads what another job rendered."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from farm.package.hashing import hash_file
from farm.protocol.depends import Dependency
from farm.protocol.jobs import FileEntry, Requirement, Submission
from farm.words.states import JobState
from tests.blenders import blenders, run_inside
from tests.farm.artist import start_slave
from tests.farm.farm import Farm


def submitted(farm: Farm, blend: Path, **more: object) -> int:
    sha256, size = hash_file(blend)
    files = [FileEntry(path=blend.name, sha256=sha256, size=size)]
    wish = {"name": blend.stem, "requires": Requirement(method="blender"), "source": blend.name, "frames": "1", **more}
    job = farm.client.submit(Submission.model_validate({**wish, "files": files})).job
    farm.client.put_blob(blend, sha256, size)
    farm.client.queue(job)
    return job


def test_a_composition_waits_for_its_layer_and_reads_it(lite_farm: Farm, tmp_path: Path) -> None:
    layer, comp = tmp_path / "layer.blend", tmp_path / "comp.blend"
    run_inside(blenders()[0], Path(__file__).with_name("make_comp.py"), tmp_path / "making", str(layer), str(comp))
    first = submitted(lite_farm, layer)
    depends = [Dependency(on=str(first), overlay=True)]
    second = submitted(lite_farm, comp, depends=depends)
    assert lite_farm.client.frame(second, 1).waiting.startswith("waits for distren://")
    start_slave(lite_farm, "ws01", blenders()[0])
    assert lite_farm.ended(second).state is JobState.DONE
    colours = []
    for job in (first, second):
        (file,) = lite_farm.output(job)
        lite_farm.client.fetch_file(job, file, tmp_path / file.name)
        with Image.open(tmp_path / file.name) as picture:
            colours.append(picture.convert("RGB").getpixel((32, 18)))
    assert [file.name for file in lite_farm.output(second)] == ["comp_0001.png"]
    red, other = colours
    assert red[0] > 200
    assert red[2] < 80
    assert other[0] < red[0]
    assert other[2] > red[2]
