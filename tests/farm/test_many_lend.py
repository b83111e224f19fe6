"""Two servers that lend each other slaves, each of two processes on one database, behind a balancer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.client.peercalls import PeerCalls
from farm.protocol.lending import Borrow, Lend
from farm.protocol.peers import AcceptPeer, MakePeerInvite
from farm.words.states import AttemptState, JobState
from tests.databases import MariaDB
from tests.farm.balanced import BalancedFarm
from tests.server.test_underpath import NGINX

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not NGINX.exists(), reason="There is no nginx here."),
]


@pytest.fixture
def two(tmp_path: Path, mariadb: MariaDB) -> Iterator[tuple[BalancedFarm, BalancedFarm]]:
    """`home`, which borrows, and `annex`, which lends two slaves."""
    with contextlib.ExitStack() as kept:
        made = []
        for name in ("home", "annex"):
            (folder := tmp_path / name).mkdir()
            url = kept.enter_context(mariadb.fresh())
            made.append(farm := BalancedFarm(folder, url, name=name, peer_private="true"))
            kept.callback(farm.close)
        home, annex = made
        code = PeerCalls(annex.client).invite(MakePeerInvite(name="home")).code
        PeerCalls(home.client).accept(AcceptPeer.model_validate({"code": code}))
        PeerCalls(home.client).borrow("annex", Borrow())
        PeerCalls(annex.client).lend("home", Lend())
        for name in ("ws01", "ws02"):
            annex.start_slave(name)
        yield home, annex


def test_lent_frames_come_back_by_whichever_process_and_though_one_of_each_is_killed(
    two: tuple[BalancedFarm, BalancedFarm],
) -> None:
    home, annex = two
    job = home.sleep_job("1-200", seconds=0.5, output_bytes=100_000)
    home.done_frames(job, 10, 120)
    for place, farm in enumerate((annex, home)):
        farm.processes[place].kill()
        home.done_frames(job, home.client.job(job).counts.done + 8, 180)
        farm.start_process(place)
    assert home.ended(job, 240).state is JobState.DONE
    assert sorted(file.frame for file in home.output(job)) == list(range(1, 201))
    tries = [home.client.frame(job, number).attempts for number in range(1, 201)]
    assert all([one.state for one in each].count(AttemptState.WON) == 1 for each in tries)
    assert {one.slave for each in tries for one in each} == {"ws01@annex", "ws02@annex"}
    assert PeerCalls(annex.client).audit("home").agree
    assert PeerCalls(home.client).audit("annex").agree
    assert [home.audit(), annex.audit()] == [[], []]
