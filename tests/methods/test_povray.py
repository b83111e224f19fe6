"""POV-Ray behind the session wire, with the real program: what it renders alone is what we compare with."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from farm.methods.base import MethodConfig, Offered
from farm.methods.povray.inifile import IniFile, inside
from farm.methods.povray.inside.progress import Talk
from farm.methods.povray.method import PovrayMethod
from farm.methods.povray.shot import shot
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from farm.words.errors import BadSetting, NotASetup
from tests.methods.talk import Child

MAIN = """#version 3.7;
#include "colors.inc"
#include "inc/ball.inc"
global_settings { assumed_gamma 1 }
camera { location <0, 2, -6> look_at 0 angle 40 }
light_source { <5, 8, -6>, rgb 1 }
background { rgb <0.2, 0.3, 0.5> }
Ball(clock)
plane { y, -1 pigment { image_map { png "../maps/wood.png" } rotate 90*x scale 3 } }
#debug concat("clock ", str(clock, 0, 6), "\\n")
#fopen STATE "state.txt" append
#write (STATE, "1,")
#fclose STATE
"""
BALL = """#macro Ball(T)
sphere { <2 * cos(T * 2 * pi), 0, 2 * sin(T * 2 * pi)>, 0.7 pigment { color Red } finish { phong 0.8 } }
#end
"""
SLOW = """#version 3.7;
global_settings { assumed_gamma 1 max_trace_level 12 }
camera { location <0, 2, -6> look_at 0 angle 40 }
light_source { <5, 8, -6>, rgb 1 area_light <2, 0, 0>, <0, 2, 0>, 9, 9 }
#for (I, -3, 3) #for (J, -3, 3)
sphere { <I, 0, J>, 0.45 pigment { rgb <1, 0.3, 0.1> } finish { reflection 0.5 } }
#end #end
"""


@pytest.fixture(scope="session")
def povray() -> Offered:
    found = PovrayMethod().offers(MethodConfig())
    assert found, "apt-get install povray povray-includes"
    return found[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with scenes, included files and textures in folders of their own."""
    root = tmp_path / "my films"
    for folder in ("scenes/inc", "maps"):
        (root / folder).mkdir(parents=True)
    (root / "scenes" / "main.pov").write_text(MAIN)
    (root / "scenes" / "inc" / "ball.inc").write_text(BALL)
    (root / "scenes" / "slow.pov").write_text(SLOW)
    Image.linear_gradient("L").resize((32, 32)).convert("RGB").save(root / "maps" / "wood.png")
    return root


Start = Callable[..., Child]


@pytest.fixture
def start(povray: Offered, root: Path, tmp_path: Path) -> Start:
    """Start a session on a scene, and open it."""
    count = iter(range(100))

    def started(source: str = "scenes/main.pov", **settings: Any) -> Child:
        given = {"width": 64, "height": 48, **settings}
        texts = {"address": "", "name": "", "version": "", "engine": ""}
        sheet = JobSheet(
            **texts, job=1, revision=1, method="povray", newer=False, settings=given, source=source, limits=Limits(),
            files=[],
        )  # fmt: skip
        scratch = tmp_path / f"scratch{next(count)}"
        scratch.mkdir()
        (tmp_path / "unfinished").mkdir(exist_ok=True)
        launch = PovrayMethod().launch(povray, sheet, root, scratch)
        launch.open["unfinished"] = str(tmp_path / "unfinished")
        return Child(launch, tmp_path / "log")

    return started


def render(child: Child, picture: int, output: Path) -> dict[str, Any]:
    return child.ask({"do": "render", "attempt": 1, "picture": picture, "number": picture, "output": str(output)})


def opened(child: Child) -> dict[str, Any]:
    event = child.ask(child.opening)
    assert event["event"] == "opened", event
    return event


def alone(povray: Offered, folder: Path, *words: str) -> Path:
    """Render as a person does, in the scene's own folder; return the picture."""
    before = set(folder.iterdir())
    argv = [str(povray.launcher.program), *words, "-D", "-P"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    made = [path for path in set(folder.iterdir()) - before if path.name != "state.txt"]
    assert len(made) == 1
    return made[0]


def pixels(path: Path) -> tuple[Any, ...]:
    with Image.open(path) as image:
        return image.size, image.mode, image.tobytes()


def test_frames_of_an_animation_are_those_that_povray_makes_alone(
    start: Start, povray: Offered, root: Path, tmp_path: Path
) -> None:
    with start(job_first=1, job_last=120) as child:
        assert child.until("hello")["version"] == povray.offer.version
        assert opened(child)["facts"]["frames"] == [1, 120]
        for picture in (7, 120):
            done = render(child, picture, tmp_path / f"out{picture}")
            assert [Path(file).name for file in done["files"]] == [f"main{picture:03d}.png"]
            assert done["cpu_seconds"] > 0
            by_hand = alone(
                povray,
                root / "scenes",
                "main.pov",
                "+W64",
                "+H48",
                "+KFI1",
                "+KFF120",
                f"+SF{picture}",
                f"+EF{picture}",
            )
            assert pixels(Path(done["files"][0])) == pixels(by_hand)
    assert "clock 0.050420" in (tmp_path / "log").read_text()
    assert not list((tmp_path / "unfinished").iterdir())


def test_the_clock_begins_and_ends_as_the_settings_say_whatever_frames_the_job_has(
    start: Start, tmp_path: Path
) -> None:
    with start(
        initial_frame=0, final_frame=10, initial_clock=2, final_clock=4, cyclic=True, job_first=3, job_last=3
    ) as child:
        opened(child)
        assert render(child, 3, tmp_path / "out")["event"] == "done"
        refused = render(child, 11, tmp_path / "out11")
    assert f"clock {2 + 2 * 3 / 11:.6f}" in (tmp_path / "log").read_text()
    assert refused["class"] == "job"
    assert "no frame 11" in refused["message"]


def test_a_still_has_no_number_and_the_clock_that_it_is_given(start: Start, tmp_path: Path) -> None:
    with start(job_first=5, job_last=5, clock=0.25) as child:
        assert opened(child)["facts"]["still"]
        done = render(child, 5, tmp_path / "out")
    assert done["files"] == [str(tmp_path / "out" / "main.png")]
    assert "clock 0.250000" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("settings", "switches"),
    [
        ({"bits": 16, "antialiasing": True, "antialias_threshold": 0.1}, ["+FN16", "+A0.1"]),
        ({"format": "OPEN_EXR"}, ["+FE"]),
        (
            {"alpha": True, "sampling_method": 2, "antialiasing": True, "antialias_depth": 2},
            ["+UA", "+A", "+AM2", "+R2"],
        ),
        ({"format": "JPEG", "quality": 4}, ["+FJ", "+Q4"]),
    ],
    ids=["16bit", "exr", "alpha", "jpeg"],
)
def test_settings_give_the_very_files_that_povray_writes_for_its_switches(
    start: Start, povray: Offered, root: Path, tmp_path: Path, settings: dict[str, Any], switches: list[str]
) -> None:
    with start(**settings) as child:
        opened(child)
        made = Path(render(child, 1, tmp_path / "out")["files"][0])
    by_hand = alone(povray, root / "scenes", "main.pov", "+W64", "+H48", *switches)
    assert made.name == by_hand.name
    assert content(made) == content(by_hand)


def content(path: Path) -> bytes:
    """Return a file without its beginning, in which there is the time of its making."""
    return path.read_bytes()[400:]


def test_an_ini_file_is_obeyed_but_for_what_is_dangerous(start: Start, root: Path, tmp_path: Path) -> None:
    (root / "film.ini").write_text(
        "; my film\n+Iscenes/main.pov Width=40 +H30\nPost_Frame_Command=touch /tmp/evil-%n\n"
        "Initial_Frame=1\nFinal_Frame=10\nOutput_File_Name=frames/film_\nnested.ini[big]\n"
    )
    (root / "nested.ini").write_text("[small]\nWidth=10\n[big]\nDeclare=Size=2\nAll_File=everything.txt\n")
    with start("film.ini", width=None, height=None, job_first=4, job_last=4) as child:
        said = opened(child)
        done = render(child, 4, tmp_path / "out")
    assert pixels(Path(done["files"][0]))[0] == (40, 30)
    assert Path(done["files"][0]).name == "film_04.png"
    assert said["warnings"] == [
        "film.ini, line 3: post_frame_command is not obeyed: it would run a program.",
        "nested.ini, line 5: all_file is not obeyed: it would write beside the pictures.",
    ]
    assert not list(Path("/tmp").glob("evil-*"))


def test_a_povray_ini_beside_the_scene_is_obeyed_and_settings_count_more(
    start: Start, root: Path, tmp_path: Path
) -> None:
    (root / "scenes" / "povray.ini").write_text("Width=20\nHeight=10\n+UA\n")
    with start(width=None, height=30) as child:
        opened(child)
        done = render(child, 1, tmp_path / "out")
    assert pixels(Path(done["files"][0]))[:2] == ((20, 30), "RGBA")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Bogus=1\n", "scenes/povray.ini, line 1: POV-Ray has no option “bogus”."),
        ("\n+Z3\n", "scenes/povray.ini, line 2: POV-Ray has no switch “+Z3”."),
        ("Width = 21 Height=30\n", "scenes/povray.ini, line 1: “21 Height=30” is no value of width."),
        ("povray.ini\n", "options files name each other"),
        ("other.ini\n", "The options file “scenes/other.ini” is not among the job's files."),
    ],
)
def test_a_wrong_line_of_an_ini_file_is_named(start: Start, root: Path, text: str, message: str) -> None:
    (root / "scenes" / "povray.ini").write_text(text)
    with start() as child:
        said = child.ask(child.opening)
    assert (said["event"], said["class"]) == ("failed", "job")
    assert message in said["message"]


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        (
            '#include "colors.inc"\nsphere { 0, 1 pigment { color Redd } }',
            "scenes/main.pov, line 2: No matching } in 'pigment', undeclared identifier 'Redd' found instead",
        ),
        ('#include "nothere.inc"', "scenes/main.pov, line 1: Cannot open include file nothere.inc."),
        (
            'sphere { 0, 1 pigment { image_map { png "no.png" } } }',
            "scenes/main.pov, line 1: Cannot find file 'no.png'",
        ),
        ('#error "too few sides"', "scenes/main.pov, line 1: Parse halted by #error directive: too few sides"),
    ],
)
def test_the_parsers_own_words_say_where_the_error_is(
    start: Start, root: Path, tmp_path: Path, scene: str, message: str
) -> None:
    (root / "scenes" / "main.pov").write_text(f"{scene}\n")
    with start() as child:
        opened(child)
        said = render(child, 1, tmp_path / "out")
        assert (said["event"], said["class"]) == ("failed", "job")
        assert message in said["message"]
        assert str(tmp_path) not in said["message"]


def test_what_one_frame_writes_the_next_one_does_not_find(start: Start, root: Path, tmp_path: Path) -> None:
    (root / "scenes" / "main.pov").write_text(
        '#if (file_exists("left.txt")) #error "it is left" #end\n#fopen F "left.txt" write\n#write (F, "x")\n'
    )
    with start(job_last=3) as child:
        opened(child)
        assert [render(child, n, tmp_path / str(n))["event"] for n in (1, 2)] == ["done", "done"]
    assert not (root / "scenes" / "left.txt").exists()


def renderer_of(child: Child) -> psutil.Process:
    """Wait until POV-Ray has come a good part, and return its process."""
    while child.until("progress")["fraction"] < 0.7:
        pass
    (process,) = psutil.Process(child.process.pid).children()
    return process


def test_a_frame_that_was_killed_goes_on_where_it_was(
    start: Start, povray: Offered, root: Path, tmp_path: Path
) -> None:
    size = {"width": 200, "height": 150, "job_last": 9, "antialiasing": True}
    order = {"do": "render", "attempt": 1, "picture": 3, "number": 3, "output": str(tmp_path / "out")}
    with start("scenes/slow.pov", **size) as child:
        opened(child)
        child.say(order)
        renderer_of(child).kill()
        said = child.until("done", "failed")
        assert (said["event"], said["class"]) == ("failed", "slave")
    with start("scenes/slow.pov", **size) as child:
        opened(child)
        rest = child.ask(order)
        whole = render(child, 4, tmp_path / "whole")
    assert rest["cpu_seconds"] < 0.8 * whole["cpu_seconds"]
    by_hand = alone(povray, root / "scenes", *["slow.pov", "+W200", "+H150", "+A", "+KFI1", "+KFF9", "+SF3", "+EF3"])
    assert pixels(Path(rest["files"][0])) == pixels(by_hand)


def test_povray_does_not_outlive_its_session(start: Start, tmp_path: Path) -> None:
    with start("scenes/slow.pov", width=2000, height=2000, antialiasing=True) as child:
        opened(child)
        child.say({"do": "render", "attempt": 1, "picture": 1, "number": 1, "output": str(tmp_path / "out")})
        process = renderer_of_soon(child)
        child.process.kill()
        assert psutil.wait_procs([process], timeout=10)[0]


def renderer_of_soon(child: Child) -> psutil.Process:
    child.until("progress")
    (process,) = psutil.Process(child.process.pid).children()
    return process


def test_a_program_that_is_no_povray_is_refused_by_name() -> None:
    with pytest.raises(NotASetup, match="/bin/true does not work as a POV-Ray"):
        PovrayMethod().offers(MethodConfig(programs=(Path("/bin/true"),)))


SAID = (
    b"Parsing\nFile 'a b.pov' line 4: Parse Error: No matching }\r\n in 'pigment'\n"
    b"Rendered 10 of 40 pixels (25%)\rRendered 40 of 40 pixels (100%)\rRendered 5 of 40 pixels (12%)\r"
)


@given(st.lists(st.integers(0, len(SAID)), max_size=8))
def test_what_povray_says_means_the_same_however_it_is_cut(cuts: list[int]) -> None:
    talk, places = Talk(), [0, *sorted(cuts), len(SAID)]
    lines = [line for a, b in pairwise(places) for line in talk.feed(SAID[a:b])]
    lines += talk.end()
    assert talk.fraction == 1.0
    assert talk.reason() == "a b.pov, line 4: No matching } in 'pigment'"
    assert len(lines) == 3


@given(st.binary(max_size=300))
def test_no_bytes_confuse_the_reader_of_progress(data: bytes) -> None:
    talk = Talk()
    talk.feed(data)
    talk.end()
    assert 0 <= talk.fraction <= 1
    talk.reason()


WORDS = st.sampled_from(
    ["+W", "-A", "Width=", "3", "Declare=a=1", "[x]", ";", "#", '"', "\n", " ", "x.ini", "Pre_Scene_Command=", "=", "+"]
)


@given(st.lists(WORDS | st.text(max_size=5), max_size=30).map("".join))
def test_any_text_is_read_as_an_ini_file_or_refused_by_name(text: str) -> None:
    ini = IniFile({"x.ini": text}.get)
    try:
        ini.take("x.ini")
    except BadSetting as error:
        assert error.message  # noqa: PT017
    for option in ini.options:
        assert "\n" not in option.value
        assert "command" not in option.name


@given(st.text(alphabet="a./\\: ", max_size=20))
def test_no_path_of_an_ini_file_leads_out_of_the_job(path: str) -> None:
    found = inside(PurePosixPath("scenes"), path)
    assert found is None or ".." not in PurePosixPath(found).parts
    assert found is None or not found.startswith("/")


def test_an_ini_file_says_which_frames_it_wants() -> None:
    def frames(text: str) -> str:
        return shot("x.ini", {}, {"x.ini": f"Input_File_Name=a.pov\n{text}"}.get).frames

    assert frames("+KFI1 +KFF120") == "1-120"
    assert frames("+KFI1 +KFF120 +SF7 +EF9") == "7-9"
    assert frames("Final_Frame=3") == "1-3"
    assert frames("") == "1"
    with pytest.raises(BadSetting, match="begin at frame 9"):
        frames("+KFI9 +KFF3")
