"""A job as one file: all ways in make the same job, and its package is rebuilt byte for byte."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from farm.words.states import JobState
from tests.farm.artist import Said
from tests.farm.farm import Farm
from tests.methods.test_povray import BALL, MAIN

XML = """<?xml version="1.0"?>
<distrenjob version="1.0">
  <name>main</name>
  <source>scenes/main.pov</source>
  <frames>1-3</frames>
  <povray><width>64</width><height>48</height><antialiasing>on</antialiasing></povray>
</distrenjob>
"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    for name in ("scenes/inc", "maps"):
        (folder / name).mkdir(parents=True)
    (folder / "distrenjob.xml").write_text(XML)
    (folder / "scenes" / "main.pov").write_text(MAIN)
    (folder / "scenes" / "inc" / "ball.inc").write_text(BALL)
    (folder / "maps" / "wood.png").write_bytes(bytes(range(256)) * 4)
    return folder


def says(farm: Farm, cwd: Path, *words: object) -> Said:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DISTREN_")}
    homes = {f"XDG_{name}_HOME": str(cwd / "home" / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    env = {**clean, **homes, "DISTREN_SERVER": farm.url, "DISTREN_TOKEN": farm.token, "COLUMNS": "200"}
    argv = [sys.executable, "-m", "farm.cli.main", *map(str, words)]
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=90)
    return Said(done.returncode, done.stdout, done.stderr)


def package(farm: Farm, job: int) -> bytes:
    answer = httpx.get(f"{farm.url}/api/jobs/{job}/package", headers={"Authorization": f"Bearer {farm.token}"})
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    return answer.content


def post(farm: Farm, path: str, **how: Any) -> httpx.Response:
    return httpx.post(f"{farm.url}{path}", headers={"Authorization": f"Bearer {farm.token}"}, timeout=60, **how)


def test_all_ways_in_make_the_same_job(lite_farm: Farm, film: Path, tmp_path: Path) -> None:
    for suffix in ("tar", "tar.gz", "tar.zst"):
        assert says(lite_farm, tmp_path, "pack", film, "-o", f"film.{suffix}").code == 0
    jobs = {
        what: int(says(lite_farm, tmp_path, "submit", *words, "--anyway", "--json").json["job"])
        for what, words in {
            "folder": ["film"],
            "tarball": ["film.tar.zst"],
            "scene": [
                *["film/scenes/main.pov", "--frames", "1-3", "--resolution", "64x48", "--set", "antialiasing=on"]
            ],
        }.items()
    }
    jobs["http"] = post(lite_farm, "/api/jobs/package", content=(tmp_path / "film.tar.gz").read_bytes()).json()["job"]
    fields = {"frames": "1-3", "width": "64", "height": "48", "antialiasing": "yes", "scene": "scenes/main.pov"}
    paths = [path for path in film.rglob("*") if path.is_file() and path.suffix != ".xml"]
    parts = [(path.stem, (path.relative_to(film).as_posix(), path.read_bytes())) for path in paths]
    jobs["form"] = post(lite_farm, "/api/jobs/povray", data=fields, files=parts).json()["job"]
    packages = {what: package(lite_farm, job) for what, job in jobs.items()}
    jobs["again"] = post(lite_farm, "/api/jobs/package", content=packages["form"]).json()["job"]
    packages["again"] = package(lite_farm, jobs["again"])
    packages["once more"] = package(lite_farm, jobs["form"])
    assert {what for what, data in packages.items() if data != packages["folder"]} == set()
    with tarfile.open(fileobj=io.BytesIO(packages["folder"])) as tar:
        assert tar.getnames() == ["distrenjob.xml", "maps/wood.png", "scenes/inc/ball.inc", "scenes/main.pov"]
        assert {(member.mtime, member.uid, member.mode) for member in tar} == {(0, 0, 0o644)}


def test_what_was_packed_is_rendered_and_unpacks_to_what_it_was(lite_farm: Farm, film: Path, tmp_path: Path) -> None:
    (film / "scenes" / "main.pov").write_text(
        "#version 3.7;\nglobal_settings { assumed_gamma 1 }\nbackground { rgb 1 }\n"
    )
    lite_farm.start_slave(methods="povray")
    job = says(lite_farm, tmp_path, "submit", "film", "--anyway", "--json").json["job"]
    assert lite_farm.ended(job).state is JobState.DONE
    (tmp_path / "job.tar").write_bytes(package(lite_farm, job))
    assert says(lite_farm, tmp_path, "unpack", "job.tar", "home again").code == 0
    for path in film.rglob("*"):
        if path.is_file() and path.name != "distrenjob.xml":
            assert (tmp_path / "home again" / path.relative_to(film)).read_bytes() == path.read_bytes()
    assert says(lite_farm, tmp_path, "unpack", "job.tar", "home again").words.startswith("home again is here already")


def test_what_is_wrong_with_a_package_is_named_and_nothing_is_sent(lite_farm: Farm, film: Path, tmp_path: Path) -> None:
    (film / "distrenjob.xml").write_text(XML.replace("width", "breadth"))
    words = "distrenjob.xml, line 6, column 11: <povray> has no setting <breadth>"
    for verb in ("pack", "submit"):
        said = says(lite_farm, tmp_path, verb, "film")
        assert said.code == 2
        assert words in said.words
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.add(film / "distrenjob.xml", arcname="distrenjob.xml")
    answer = post(lite_farm, "/api/jobs/package", content=(tmp_path / "bad.tar").read_bytes())
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_package")
    assert (answer.json()["line"], answer.json()["column"]) == (6, 11)
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.add(film / "maps" / "wood.png", arcname="../../evil.png")
    assert "holds an empty part, '.' or '..'" in says(lite_farm, tmp_path, "unpack", "evil.tar", "evil").words
    assert not (tmp_path / "evil").exists()
    assert not list(tmp_path.glob(".evil*"))
    assert not lite_farm.client.jobs().jobs
