"""All that the how-to says of a friend's farm, said in a shell, with each farm in a network namespace of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.words.states import JobState
from tests.farm.sites import Site, sites
from tests.farm.test_povray import SCENE

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
SIZE = ("--set", "width=32", "--set", "height=24", "--frames", "1-6")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """`home`, which has no slave, and `annex`, which has one."""
    with sites(tmp_path, "home", "annex") as (_, (home, annex)):
        code = json.loads(annex.says("peers", "invite", "home", "--json"))["code"]
        assert "annex" in home.says("peers", "accept", code)
        annex.start_slave(methods="povray")
        yield home, annex


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    (path := tmp_path / "main.pov").write_text(SCENE)
    return path


def test_all_that_a_person_does_at_home_can_be_done_at_a_friends_farm(
    two: tuple[Site, Site], scene: Path, tmp_path: Path
) -> None:
    home, _ = two
    job = home.submits(scene, *SIZE, "--server", "annex")
    address = f"distren://annex/{job}"
    assert home.runs("watch", address)[0] == 0
    assert json.loads(home.says("show", address, "--json"))["state"] == "done"
    assert home.runs("watch", f"{address}/3")[0] == 0
    for words in (("jobs", "distren://annex/"), ("jobs", "--server", "annex")):
        assert [one["address"] for one in json.loads(home.says(*words, "--json"))["jobs"]] == [address]
    assert json.loads(home.says("show", f"{address}/3", "--json"))["state"] == "done"
    assert "CPU-seconds" in home.says("logs", f"{address}/3")
    home.says("fetch", address, str(tmp_path / "brought"))
    assert len(list((tmp_path / "brought").rglob("*.png"))) == 6
    home.says("fetch", f"{address}/3", str(tmp_path / "one"))
    assert len(list((tmp_path / "one").rglob("*.png"))) == 1
    home.says("retry", f"{address}/3")
    assert home.runs("watch", address)[0] == 0
    paused = home.submits(scene, *SIZE, "--server", "annex", "--paused")
    home.says("resume", f"distren://annex/{paused}")
    assert home.runs("watch", f"distren://annex/{paused}")[0] == 0
    third = home.submits(scene, *SIZE, "--server", "annex", "--paused")
    home.says("cancel", f"distren://annex/{third}")
    assert json.loads(home.says("show", f"distren://annex/{third}", "--json"))["state"] == "canceled"
    assert json.loads(home.says("jobs", "--json"))["jobs"] == [], "none of it is a job of home"


def test_a_job_at_home_is_moved_paused_canceled_and_retried_there_from_home(
    two: tuple[Site, Site], scene: Path, tmp_path: Path
) -> None:
    home, annex = two
    annex.says("peers", "lend", "home", "--slots", "8", "--methods", "povray", "--gigabytes", "50")
    home.says("peers", "borrow", "annex", "--methods", "povray", "--users", "ada")
    job = home.submits(scene, *SIZE, "--on", "annex", "--paused")
    home.says("resume", str(job))
    assert home.ended(job, 180).state is JobState.DONE
    home.says("retry", f"{job}/2")
    assert home.ended(job, 120).state is JobState.DONE
    home.says("fetch", str(job), str(tmp_path / "brought"))
    assert len(list((tmp_path / "brought").rglob("*.png"))) == 6
    here = home.submits(scene, *SIZE, "--tags", "nowhere")
    home.says("set", str(here), "tags=annex")
    assert home.ended(here, 120).state is JobState.DONE
    sleeping = home.submits(scene, *SIZE, "--on", "annex", "--paused")
    home.says("cancel", str(sleeping))
    assert home.client.job(sleeping).state is JobState.CANCELED
    assert "ws01@annex" in home.says("slaves")
    assert "Both books agree." in home.says("peers", "audit", "annex")
    (peer,) = json.loads(annex.says("peers", "--json"))
    assert peer["lent_frames"] == 13
    home.says("peers", "borrow", "annex", "--stop")
    annex.says("peers", "lend", "home", "--stop")


def test_an_exchange_is_paused_gets_new_keys_and_ends(two: tuple[Site, Site], scene: Path) -> None:
    home, annex = two
    job = home.submits(scene, *SIZE, "--server", "annex")
    annex.ended(job, 120)
    annex.says("peers", "pause", "home")
    code, said = home.runs("show", f"distren://annex/{job}")
    assert code != 0
    assert "paused the exchange" in said
    annex.says("peers", "resume", "home")
    assert home.runs("show", f"distren://annex/{job}")[0] == 0
    for words in (("rotate",), ("rotate", "--revoke")):
        assert "annex" in home.says("peers", *words)
        assert home.runs("show", f"distren://annex/{job}")[0] == 0
    annex.says("users", "--disable", "ada@home")
    code, said = home.runs("show", f"distren://annex/{job}")
    assert code != 0
    assert "keeps ada@home out" in said
    annex.says("users", "--enable", "ada@home")
    assert home.runs("show", f"distren://annex/{job}")[0] == 0
    annex.says("peers", "end", "home", "--yes")
    code, said = home.runs("show", f"distren://annex/{job}")
    assert code != 0
    assert "annex" in said
    code, said = home.runs("submit", str(scene), *SIZE, "--server", "nowhere", "--anyway")
    assert code != 0
    assert "nowhere" in said
