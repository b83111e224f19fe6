"""Pictures that come home by themselves, while both sides are killed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.farm.farm import Farm, Process


def follow(farm: Farm, folder: Path, count: int) -> Process:
    """Start `fetch --follow` as its service does."""
    words = ["fetch", "--follow", str(folder), "--server", farm.url, "--json"]
    return Process(f"follow{count}", words, {"DISTREN_TOKEN": farm.token}, farm.folder)


def sums(folder: Path) -> dict[str, str]:
    """Return the hashes of the pictures in a folder, and of nothing that is on its way."""
    pictures = [path for path in folder.glob("*.png") if not path.name.startswith(".")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pictures}


def test_every_picture_is_delivered_and_fetched_once_whoever_is_killed(tmp_path: Path) -> None:
    home, nas = tmp_path / "home", tmp_path / "nas"
    nas.mkdir()
    mine = home / "job1" / "0001.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"something of mine")
    farm = Farm(tmp_path, deliver=str(nas))
    following = follow(farm, home, 1)
    try:
        farm.start_slave(slots="2")
        job = farm.sleep_job("1-30", seconds=0.2, output_bytes=200_000)
        assert job == 1
        farm.done_frames(job, 5)
        farm.server.kill()
        following.kill()
        farm.start_server()
        following = follow(farm, home, 2)
        farm.done_frames(job, 15)
        following.kill()
        farm.server.kill()
        farm.start_server()
        following = follow(farm, home, 3)
        farm.ended(job, 120)
        wanted = {file.name: file.sha256 for file in farm.output(job)}
        assert len(wanted) == 30
        farm.until(lambda: sums(nas / f"job{job}") == wanted, 60, "all is delivered")
        farm.until(lambda: sums(home / f"job{job}") == wanted, 60, "all is fetched")
        kept = [path.read_bytes() for path in mine.parent.rglob("*") if path.is_file()]
        assert b"something of mine" in kept, "it is not overwritten"
        assert farm.audit() == []
    finally:
        following.popen.kill()
        following.popen.wait()
        farm.close()
