"""Two servers that lend each other slaves, in namespaces of their own: the line between them is cut, slow, or bad."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from farm.accounts.ledger import Kind
from farm.database.schema import postings
from farm.protocol.slaveviews import SlaveView
from farm.words.states import AttemptState, JobState
from tests.farm.sites import Site, friends, sites
from tests.farm.test_away import told, unsent
from tests.network import Hub

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.fixture
def two(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Hub, Site, Site]]:
    """`home` and `annex`, who share work; each has a slave that sleeps, and reports each second, or less often."""
    heartbeat = getattr(request, "param", "1")
    with sites(tmp_path, "home", "annex", heartbeat_seconds=heartbeat) as (net, (home, annex)):
        friends(home, annex)
        for site in (home, annex):
            site.start_slave()
        yield net, home, annex


def leased_to(site: Site, job: int, slave: str) -> set[int]:
    """Return the attempts of a job that a slave was ever issued."""
    frames = site.client.frames(job, limit=1000).frames
    return {
        attempt.attempt
        for frame in frames
        for attempt in site.client.frame(job, frame.frame).attempts
        if attempt.slave == slave
    }


def begun_for_home(annex: Site) -> list[int]:
    """Return the frames of home's jobs that annex's slave has rendered, in order, as its log says."""
    rendered = told(annex.slaves["ws01"], "frame rendered")
    return [said["frame"] for said in rendered if str(said["job"]).startswith("distren://home/")]


def payments(site: Site, job: int) -> Counter[int]:
    """Return how many times a frame of a job was paid for."""
    p = postings.c
    with site.reading() as conn:
        found = conn.execute(select(p.frame).where(p.job == job, p.kind == Kind.EARNED.value)).scalars()
        return Counter(map(int, found))


def slave_of_annex(home: Site) -> SlaveView:
    return next(slave for slave in home.client.slaves() if slave.name == "ws01@annex")


def test_both_sides_go_on_while_they_are_apart_and_nothing_is_paid_twice_afterwards(
    two: tuple[Hub, Site, Site], tmp_path: Path
) -> None:
    net, home, annex = two
    job = home.sleep_job("1-60", seconds=1, output_bytes=100_000)
    home.until(lambda: len(begun_for_home(annex)) >= 2, 120, "annex renders for home")
    with net.broken(home.side, annex.side):
        before = leased_to(home, job, "ws01@annex")
        own = annex.sleep_job("1-4", seconds=0.5)
        assert annex.ended(own, 120).state is JobState.DONE, "annex goes on with its own work"
        so_far = home.client.job(job).counts.done
        home.done_frames(job, so_far + 3, 120)
        home.until(lambda: slave_of_annex(home).state == "offline", 120, "home misses the slave")
        home.until(lambda: any(peer.away for peer in home.peers.peers()), 180, "home's admins see that annex is away")
        home.until(lambda: not annex.client.slaves()[0].running, 120, "annex renders nothing for home any more")
        assert leased_to(home, job, "ws01@annex") == before, "nothing is leased across the cut"
        rendered = begun_for_home(annex)
    assert len(rendered) == len(set(rendered)) <= len(before), "nothing was rendered but what was leased"
    home.until(lambda: unsent(annex) == 0, 120, "what waited is delivered")
    assert home.ended(job, 240).state is JobState.DONE
    home.every_frame_once_of(job, 60)
    home.until(lambda: not any(peer.away for peer in home.peers.peers()), 120, "annex is back")
    again = home.sleep_job("1-20", seconds=0.5)
    home.until(lambda: leased_to(home, again, "ws01@annex"), 120, "annex lends its slave again")
    assert home.ended(again, 120).state is JobState.DONE
    assert max(payments(home, job).values()) == 1
    found = home.books_agree(annex)
    assert annex.books_agree(home)["ours"] == found["theirs"]
    won = {
        frame
        for frame in range(1, 61)
        for attempt in home.client.frame(job, frame).attempts
        if attempt.slave == "ws01@annex" and attempt.state is AttemptState.WON
    }
    assert set(payments(home, job)) <= won, "only what counted is paid"
    assert [home.audit(), annex.audit()] == [[], []]


@pytest.mark.parametrize(
    ("two", "one_way"), [("1", 1.0), ("5", 2.0)], indirect=["two"], ids=["2 s there and back", "4 s there and back"]
)
def test_a_slow_line_only_makes_lent_frames_late_and_is_shown(two: tuple[Hub, Site, Site], one_way: float) -> None:
    net, home, annex = two
    net.delays[frozenset((home.side.address, annex.side.address))] = one_way
    job = home.sleep_job("1-60", seconds=1)
    home.until(lambda: leased_to(home, job, "ws01@annex"), 240, "annex lends its slave over the slow line, too")
    home.until(lambda: begun_for_home(annex), 120, "and it renders")
    own = annex.sleep_job("1-5", seconds=0.1)
    assert annex.ended(own, 180).state is JobState.DONE, "its own work goes on"

    def slow() -> bool:
        (peer,) = json.loads(annex.says("peers", "--json"))
        return float(peer["latency_seconds"] or 0) > one_way

    home.until(slow, 240, "annex's admin sees how slow it is")
    assert home.ended(job, 400).state is JobState.DONE
    home.every_frame_once_of(job, 60)
    home.books_agree(annex)
    assert [home.audit(), annex.audit()] == [[], []]


def test_a_line_that_is_slow_and_loses_packets_loses_no_frame_and_pays_none_twice(two: tuple[Hub, Site, Site]) -> None:
    """Two seconds there and back, and every tenth packet lost: most answers come, some after the patience for them."""
    net, home, annex = two
    way = frozenset((home.side.address, annex.side.address))
    net.delays[way], net.losses[way] = 1.0, 0.1
    jobs = {home: home.sleep_job("1-150", seconds=1, output_bytes=100_000)}
    home.until(lambda: begun_for_home(annex), 300, "annex renders for home, over this line, too")
    jobs[annex] = annex.sleep_job("1-30", seconds=0.5, output_bytes=100_000)
    for site, job in jobs.items():
        assert site.ended(job, 400).state is JobState.DONE
    assert net.lost > 20, "it was a bad line"
    net.losses[way] = 0.0
    home.until(lambda: unsent(annex) == unsent(home) == 0, 240, "what waited is delivered")
    _nothing_lost_or_double(jobs, {home: 150, annex: 30})


@pytest.mark.parametrize("silent", [0, 1], ids=["home is not heard", "annex is not heard"])
def test_a_line_between_servers_that_is_dead_one_way_loses_no_frame_and_pays_none_twice(
    two: tuple[Hub, Site, Site], silent: int
) -> None:
    net, home, annex = two
    sides = [home.side, annex.side]
    jobs = {home: home.sleep_job("1-150", seconds=1, output_bytes=100_000)}
    home.until(lambda: len(begun_for_home(annex)) >= 2, 120, "annex renders for home")
    with net.silent(sides[silent], sides[1 - silent]):
        jobs[annex] = annex.sleep_job("1-20", seconds=0.5)
        assert annex.ended(jobs[annex], 180).state is JobState.DONE, "annex goes on with its own work"
        so_far = home.client.job(jobs[home]).counts.done
        home.done_frames(jobs[home], so_far + 3, 120)
        home.until(lambda: slave_of_annex(home).state == "offline", 180, "home misses the slave")
        time.sleep(30)  # longer than each call of theirs may take
    assert home.ended(jobs[home], 300).state is JobState.DONE
    home.until(lambda: unsent(annex) == 0, 240, "what waited is delivered")
    again = home.sleep_job("1-20", seconds=0.5)
    home.until(lambda: leased_to(home, again, "ws01@annex"), 240, "annex lends its slave again")
    assert home.ended(again, 120).state is JobState.DONE
    _nothing_lost_or_double(jobs, {home: 150, annex: 20})


def _nothing_lost_or_double(jobs: dict[Site, int], counts: dict[Site, int]) -> None:
    """See that each frame of each site's job counts once, is paid once at most, and that both books agree."""
    for site, job in jobs.items():
        site.every_frame_once_of(job, counts[site])
        assert [file.frame for file in site.output(job)] == list(range(1, counts[site] + 1))
        assert max(payments(site, job).values(), default=0) <= 1
        assert site.audit() == []
    home, annex = jobs
    home.until(lambda: home.runs("peers", "audit", annex.name)[0] == 0, 120, "what is owed has travelled")
    assert home.books_agree(annex)["theirs"] == annex.books_agree(home)["ours"]
