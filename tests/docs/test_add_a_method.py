"""Follow the tutorial that adds a render method: its files, its commands, on a farm of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.farm.farm import Farm, running

DOCS = Path(__file__).parents[2] / "docs" / "tutorial"
TEXT = (DOCS / "add-a-method.md").read_text(encoding="utf-8")
FILES = {
    match["name"]: match["body"]
    for match in re.finditer(r'^```\w+ title="(?P<name>[^"]+)"\n(?P<body>.*?)^```$', TEXT, re.MULTILINE | re.DOTALL)
}
COMMANDS = [
    line
    for body in re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in body.splitlines()
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's folder: the files of the page, and the package installed as it says."""
    place = tmp_path_factory.mktemp("reader")
    for name, body in FILES.items():
        target = place / ("distren-gnuplot" if name.endswith((".py", "pyproject.toml")) else "") / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(body, encoding="utf-8")
    install = next(command for command in COMMANDS if command.startswith("pip "))
    # Not into the environment that all other tests use; what it is made of is there already.
    more = ["--no-deps", "--quiet", "--target", str(place / "installed")]
    subprocess.run([sys.executable, "-m", *shlex.split(install), *more], cwd=place, check=True, timeout=120)
    return place


@pytest.fixture(scope="module")
def farm(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(place / "installed")
    try:
        with running(tmp_path_factory.mktemp("farm")) as farm:
            farm.start_slave(methods="gnuplot")
            farm.until(lambda: [s for s in farm.client.slaves() if s.state != "offline"], 60, "the slave is here")
            yield farm
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def obey(farm: Farm, place: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the page as its reader does."""
    homes = {f"XDG_{name}_HOME": str(place / "home") for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    env = {**os.environ, **homes, "DISTREN_SERVER": farm.url, "DISTREN_TOKEN": farm.token}
    words = shlex.split(command)
    assert words[0] == "distren"
    argv = [sys.executable, "-m", "farm.cli.main", *words[1:]]
    return subprocess.run(argv, cwd=place, env=env, capture_output=True, text=True, timeout=120)


def pixels(path: Path) -> tuple[tuple[int, int], bytes]:
    with Image.open(path) as image:
        return image.size, image.convert("RGB").tobytes()


def alone(place: Path, picture: Path, *before: str) -> Path:
    """Draw a frame by gnuplot alone."""
    said = "; ".join([*before, f"set output '{picture}'"])
    subprocess.run(["gnuplot", "-e", said, "spiral.gp"], cwd=place, check=True, timeout=60)
    return picture


def test_the_page_shows_the_package_that_is_kept() -> None:
    kept = {
        path.relative_to(DOCS / "distren-gnuplot").as_posix(): path for path in (DOCS / "distren-gnuplot").rglob("*.*")
    }
    shown = {name: body for name, body in FILES.items() if name != "sets.toml"}
    assert shown == {name: path.read_text(encoding="utf-8") for name, path in kept.items() if path.suffix != ".pyc"}


def test_who_follows_the_page_renders_with_the_new_method(farm: Farm, place: Path) -> None:
    for command in (command for command in COMMANDS if not command.startswith("pip ")):
        done = obey(farm, place, command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}{farm.logs()}"
    assert sorted(path.name for path in (place / "pictures").iterdir()) == [f"spiral_{n:04d}.png" for n in (1, 2, 3)]
    one = alone(place, place / "one.png", "frame = 2", "set terminal pngcairo size 320,240")
    assert pixels(place / "pictures" / "spiral_0002.png") == pixels(one)
    nine = alone(place, place / "nine.png", "frame = 1", "set terminal pngcairo size 640,480", "turns = 9")
    assert pixels(place / "sets" / "many" / "spiral_0001.png") == pixels(nine)
    assert [slave.offers[0].version for slave in farm.client.slaves()] == ["5.4"]


def test_a_frame_of_it_that_fails_says_why_and_a_wrong_setting_is_refused(farm: Farm, place: Path) -> None:
    (place / "broken.gp").write_text("plot nothing_of_this_name(x\n")
    done = obey(farm, place, "distren submit broken.gp --frames 1 --wait")
    assert done.returncode == 7, done.stderr
    assert '"broken.gp" line 1:' in done.stderr + done.stdout
    refused = obey(farm, place, "distren submit spiral.gp --frames 1 --set width=3")
    assert refused.returncode not in (0, 7)
    assert "width must be a whole number px at least 16" in refused.stderr.replace("\n", " ")
