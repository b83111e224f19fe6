"""POV-Ray by curl alone: no client of ours, no library."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from farm.database.handle import Database
from farm.database.schema import users
from farm.words.states import JobState
from tests.farm.farm import Farm
from tests.methods.test_povray import BALL, MAIN

Curl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def curl(lite_farm: Farm, tmp_path: Path) -> Curl:
    assert shutil.which("curl"), "apt-get install curl"
    folder = tmp_path / "films"
    folder.mkdir()

    def run(path: str, *words: str) -> subprocess.CompletedProcess[str]:
        bearer = ("-H", f"Authorization: Bearer {lite_farm.token}")
        argv = ["curl", "-sS", "--max-time", "60", *bearer, *words, f"{lite_farm.url}{path}"]
        return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=70)

    return run


@pytest.fixture
def films(curl: Curl, tmp_path: Path) -> Path:
    """A folder with two scenes that share files in other folders."""
    folder = tmp_path / "films"
    for name in ("scenes/inc", "maps"):
        (folder / name).mkdir(parents=True)
    (folder / "scenes" / "main.pov").write_text(MAIN)
    (folder / "scenes" / "inc" / "ball.inc").write_text(BALL)
    Image.linear_gradient("L").resize((32, 32)).convert("RGB").save(folder / "maps" / "wood.png")
    return folder


FILES = (
    "scene=@scenes/main.pov;filename=scenes/main.pov",
    "include=@scenes/inc/ball.inc;filename=scenes/inc/ball.inc",
    "map=@maps/wood.png;filename=maps/wood.png",
)


def form(*fields: str) -> list[str]:
    return [word for field in fields for word in ("-F", field)]


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return image.size, image.mode, image.tobytes()


def test_curl_is_all_it_takes_from_the_scene_to_the_pictures(
    lite_farm: Farm, curl: Curl, films: Path, tmp_path: Path
) -> None:
    lite_farm.start_slave(methods="povray")
    sent = json.loads(curl("/api/jobs/povray", *form(*FILES, "frames=1-3", "width=64", "height=48")).stdout)
    assert sent["address"].endswith(f"/{sent['job']}")
    assert sent["links"]["job"] == f"{lite_farm.url}/api/jobs/{sent['job']}"
    told = curl(f"/api/jobs/{sent['job']}/progress", "-N").stdout.splitlines()
    assert "0 of 3 frames are done" in told[0]
    assert told[-1] == f"job {sent['job']} “main” is done: 3 of 3 frames are done"
    curl(f"/api/jobs/{sent['job']}/output/2/main2.png", "-o", str(tmp_path / "got.png"))
    tar = tmp_path / "all.tar"
    curl(f"/api/jobs/{sent['job']}/bundle", "-r", "0-5000", "-o", str(tar))
    assert tar.stat().st_size == 5001
    curl(f"/api/jobs/{sent['job']}/bundle", "-C", "-", "-o", str(tar))
    with tarfile.open(tar) as bundle:
        assert bundle.getnames() == ["main1.png", "main2.png", "main3.png"]
        second = bundle.extractfile("main2.png")
        assert second is not None
        assert second.read() == (tmp_path / "got.png").read_bytes()
    some = curl(f"/api/jobs/{sent['job']}/bundle?frames=2-3", "-I").stdout
    assert "200 OK" in some
    argv = ["povray", "main.pov", "+W64", "+H48", "+KFI1", "+KFF3", "+SF2", "+EF2", "-D"]
    subprocess.run(argv, cwd=films / "scenes", check=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert pixels(tmp_path / "got.png") == pixels(films / "scenes" / "main2.png")


def test_a_tarball_makes_the_same_job_as_single_files(lite_farm: Farm, curl: Curl, films: Path) -> None:
    with tarfile.open(films / "job.tar.gz", "w:gz") as tar:
        for name in ("scenes", "maps"):
            tar.add(films / name, arcname=name)
    single = json.loads(curl("/api/jobs/povray", *form(*FILES, "frames=1-3")).stdout)["job"]
    packed = json.loads(curl("/api/jobs/povray", *form("package=@job.tar.gz", "frames=1-3")).stdout)["job"]
    one, other = (
        lite_farm.client.job(job).model_dump(exclude={"job", "address", "created", "queued"})
        for job in (single, packed)
    )
    assert one == other


def test_an_ini_file_is_enough_and_what_is_left_out_is_said(lite_farm: Farm, curl: Curl, films: Path) -> None:
    (films / "film.ini").write_text("+Iscenes/main.pov\n+W64 +H48\n+KFI1 +KFF9 +SF4 +EF5\nPre_Scene_Command=rm -rf /\n")
    sent = json.loads(
        curl(
            "/api/jobs/povray", *form("scene=@film.ini", *FILES[1:], "main=@scenes/main.pov;filename=scenes/main.pov")
        ).stdout
    )
    assert sent["frames"] == "4-5"
    assert sent["warnings"][0] == "film.ini, line 4: pre_scene_command is not obeyed: it would run a program."
    lite_farm.start_slave(methods="povray")
    assert lite_farm.ended(sent["job"]).state is JobState.DONE
    assert [file.name for file in lite_farm.output(sent["job"])] == ["main4.png", "main5.png"]


WRONG = [
    (("frames=1-3",), "malformed", "There is no scene."),
    ((*FILES, "frames=-1"), "bad_frame_range", "frames"),
    ((*FILES, "frames=1-3", "colour=red"), "malformed", "The form's field “colour” is unknown."),
    ((*FILES, "width=0"), "bad_setting", "width must be"),
    ((*FILES, "width=8", "width=9"), "malformed", "The field “width” comes twice."),
    (("scene=@scenes/main.pov;filename=../main.pov",), "unsafe_package", "“../main.pov” holds an empty part"),
    ((*FILES, "again=@scenes/main.pov;filename=scenes/MAIN.pov"), "unsafe_package", "can't both be in one job"),
    (("package=@scenes/main.pov",), "unsafe_package", "This is no readable tarball"),
    (("scene=scenes/other.pov", *FILES[1:]), "malformed", "The scene “scenes/other.pov” is not among the files."),
    ((*FILES, "declare=x"), "bad_setting", "declare must be lines NAME=VALUE"),
]


def test_what_is_wrong_with_a_form_is_named_and_makes_no_job(lite_farm: Farm, curl: Curl, films: Path) -> None:
    for fields, code, words in WRONG:
        answer = json.loads(curl("/api/jobs/povray", *form(*fields)).stdout)
        assert answer["code"] == code
        assert words in answer["detail"]
    assert not lite_farm.client.jobs().jobs


def test_a_huge_form_without_a_token_is_refused_before_its_body_is_read(lite_farm: Farm, tmp_path: Path) -> None:
    huge = tmp_path / "huge.pov"
    with huge.open("wb") as stream:
        stream.truncate(5_000_000_000)
    argv = ["curl", "-sS", "--max-time", "30", "-w", " %{http_code} %{size_upload}", "-F", f"scene=@{huge}"]
    said = subprocess.run([*argv, f"{lite_farm.url}/api/jobs/povray"], capture_output=True, text=True).stdout
    status, uploaded = said.rsplit(" ", 2)[1:]
    assert status == "401"
    assert int(uploaded) < 10_000_000


def test_more_than_the_quota_is_refused_and_nothing_of_it_stays(
    lite_farm: Farm, curl: Curl, films: Path, tmp_path: Path
) -> None:

    database = Database.open(f"sqlite:///{lite_farm.folder / 'server' / 'distren.sqlite3'}")
    database.write_now(lambda conn: conn.execute(users.update().values(quota=100)))
    database.close()
    answer = json.loads(curl("/api/jobs/povray", *form(*FILES)).stdout)
    assert answer["code"] == "quota_exceeded"
    assert not list((lite_farm.folder / "server").rglob("incoming/*"))
