"""POV-Ray jobs on a real farm: a server, a slave with a sandbox, the real program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from farm.client.upload import upload_missing
from farm.package.hashing import hash_file
from farm.protocol.depends import Dependency
from farm.protocol.jobs import FileEntry, JobCommand, Limits, Requirement, Submission
from farm.words.states import JobState
from tests.farm.farm import Farm

SCENE = """#version 3.7;
global_settings { assumed_gamma 1 }
camera { orthographic location -3*z look_at 0 }
background { rgb <clock, 1, 0> }
"""


def submit(
    farm: Farm,
    folder: Path,
    frames: str = "1",
    limits: Limits | None = None,
    depends: Sequence[Dependency] = (),
    **settings: Any,
) -> int:
    """Submit the files of a folder; its scene is main.pov."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    files = [FileEntry(path=name, sha256=hash_file(p)[0], size=hash_file(p)[1]) for name, p in paths.items()]
    receiving = farm.client.submit(
        Submission(
            name="pov",
            requires=Requirement(method="povray"),
            settings={"width": 32, "height": 24, **settings},
            source="main.pov",
            frames=frames,
            files=files,
            limits=limits or Limits(),
            depends=list(depends),
        )
    )
    upload_missing(farm.client, receiving, {f.sha256: paths[f.path] for f in files}, lambda _count: None, 1)
    farm.client.queue(receiving.job)
    return receiving.job


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "main.pov").write_text(SCENE)
    return folder


@pytest.fixture
def slave(lite_farm: Farm) -> Farm:
    lite_farm.start_slave(methods="povray", sandbox="required")
    return lite_farm


def colour(farm: Farm, job: int, frame: int, folder: Path) -> tuple[Any, ...]:
    (file,) = [file for file in farm.output(job) if file.frame == frame and file.name.endswith(".png")]
    farm.client.fetch_file(job, file, folder / file.name)
    with Image.open(folder / file.name) as image:
        assert image.size == (32, 24)
        return tuple(image.getpixel((1, 1)))  # type: ignore[arg-type]


def test_an_animation_is_rendered_with_the_clock_of_its_frames(slave: Farm, project: Path, tmp_path: Path) -> None:
    job = submit(slave, project, "1-5x2", final_clock=1.0)
    view = slave.ended(job)
    assert view.state is JobState.DONE
    assert view.requires.method == "povray"
    assert [file.name for file in slave.output(job)] == ["main1.png", "main3.png", "main5.png"]
    assert [colour(slave, job, frame, tmp_path)[0] for frame in (1, 3, 5)] == [0, 188, 255]


STEPS = """#version 3.7;
global_settings { assumed_gamma 1 }
camera { orthographic location -3*z look_at 0 }
#declare Steps = 0;
#if (frame_number > 1) #include "state.inc" #end
background { rgb <Steps / 4, 1, 0> }
#fopen State "state.inc" write
#write (State, "#declare Steps = ", Steps + 1, ";\\n")
#fclose State
"""


def test_each_frame_reads_what_the_one_before_it_wrote_also_after_one_is_rendered_again(
    slave: Farm, project: Path, tmp_path: Path
) -> None:
    (project / "main.pov").write_text(STEPS)
    job = submit(slave, project, "1-4", depends=[Dependency(match="previous")])
    assert slave.ended(job).state is JobState.DONE
    files = [(file.frame, file.name) for file in slave.output(job)]
    assert files == [(n, name) for n in range(1, 5) for name in (f"main{n}.png", f"main{n}/state.inc")]
    reds = [colour(slave, job, frame, tmp_path)[0] for frame in range(1, 5)]
    assert reds == [0, 137, 188, 225]
    slave.client.command(job, "retry", JobCommand(frames="2"))
    assert slave.ended(job).state is JobState.DONE
    tries = [len(slave.client.frame(job, frame).attempts) for frame in range(1, 5)]
    assert tries == [1, 2, 2, 2], "all that came of it was rendered again"
    assert [colour(slave, job, frame, tmp_path)[0] for frame in range(1, 5)] == reds


def test_what_a_hostile_scene_does_is_contained_and_ends(slave: Farm, project: Path, tmp_path: Path) -> None:
    secret, outside = tmp_path / "secret.txt", tmp_path / "outside.txt"
    secret.write_text("secret_word\n")
    hostile = {
        "read": f'#fopen F "{secret}" read\n#read (F, Word)\n',
        "write": f'#fopen F "{outside}" write\n#write (F, "x")\n#fclose F\n',
        "accounts": '#include "/etc/passwd"\n',
        "endless": "#while (1)\n#end\n",
    }
    jobs = {}
    for name, text in hostile.items():
        (project / "main.pov").write_text(text)
        jobs[name] = submit(slave, project, limits=Limits(render_seconds=1.5) if name == "endless" else None)
    (project / "main.pov").write_text(SCENE)
    (project / "povray.ini").write_text(f"Pre_Scene_Command=touch {outside}\n")
    jobs["shell"] = submit(slave, project)
    assert slave.ended(jobs["shell"]).state is JobState.DONE
    views = {name: slave.client.frame(job, 1) for name, job in jobs.items() if slave.ended(job)}
    said = {name: " ".join(a.message for a in view.attempts) for name, view in views.items()}
    assert "secret_word" not in said["read"]
    assert "root" not in said["accounts"].lower()
    assert "render limit of 1.5 s" in said["endless"]
    assert not outside.exists()
    assert {name for name, job in jobs.items() if slave.client.job(job).state is JobState.FAILED} >= {
        "read",
        "accounts",
        "endless",
    }


def test_the_parsers_error_reaches_the_person_with_file_and_line(slave: Farm, project: Path) -> None:
    (project / "main.pov").write_text(SCENE + "sphere { 0, 1 pigment { color Redd } }\n")
    job = submit(slave, project)
    assert slave.ended(job).state is JobState.FAILED
    assert "main.pov, line 5: No matching } in 'pigment', undeclared identifier 'Redd' found" in (
        slave.client.frame(job, 1).message
    )


SLOW = """#version 3.7;
global_settings { assumed_gamma 1 max_trace_level 12 }
camera { location <0, 2, -6> look_at 0 angle 40 }
light_source { <5, 8, -6>, rgb 1 area_light <2, 0, 0>, <0, 2, 0>, 9, 9 }
#for (I, -3, 3) #for (J, -3, 3)
sphere { <I, 0, J>, 0.45 pigment { rgb <1, 0.3, 0.1> } finish { reflection 0.5 } }
#end #end
"""


def test_a_slave_that_was_killed_goes_on_in_the_middle_of_the_picture(slave: Farm, project: Path) -> None:
    (project / "main.pov").write_text(SLOW)
    job = submit(slave, project, width=300, height=200, antialiasing=True)
    state = slave.folder / "ws01" / "state"
    slave.until(lambda: any(p.stat().st_size > 300_000 for p in state.rglob("*.pov-state")), 60, "a part is rendered")
    slave.slaves["ws01"].kill()
    slave.start_slave(methods="povray", sandbox="required")
    assert slave.ended(job).state is JobState.DONE
    assert "Partial Image Rendered" in slave.client.log(job, 1)
    assert not list(state.rglob("*.pov-state"))
