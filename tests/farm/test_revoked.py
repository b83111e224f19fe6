"""A real slave whose key is voided, or whose owner is disabled, while it renders."""

from __future__ import annotations

import contextlib

import psutil
import pytest

from farm.client.farmclient import FarmClient
from farm.client.usercalls import UserCalls
from farm.protocol.accounts import MakeInvite, Register
from farm.words.states import AttemptState
from tests.farm.farm import PASSPHRASE, Farm
from tests.living import all_gone


def owner(farm: Farm) -> FarmClient:
    """Return the client of a user who has the slave `theirs`."""
    invite = farm.client.make_invite(MakeInvite()).code
    with farm.asking() as client:
        granted = client.register(Register(name="bob", passphrase=PASSPHRASE, invite=invite))
    bob = FarmClient(farm.url, granted.token)
    farm.keys["theirs"] = bob.make_slave_key("theirs")
    return bob


@pytest.mark.parametrize("what", ["its key", pytest.param("its password", marks=pytest.mark.soak), "its owner"])
def test_a_slave_that_is_revoked_while_it_renders_loses_its_frame_to_others_and_ends(
    lite_farm: Farm, what: str
) -> None:
    farm = lite_farm
    with contextlib.closing(owner(farm)) as bob:
        theirs = farm.start_slave("theirs")
        job = farm.sleep_job("1", seconds=3600)
        farm.until(lambda: farm.client.frame(job, 1).attempts and farm.client.slaves()[0].running, 120, "it renders")
        renderers = [child.pid for child in psutil.Process(theirs.popen.pid).children(recursive=True)]
        assert renderers
        if what == "its key":
            farm.client.retire_slave("theirs")
        elif what == "its password":
            bob.make_slave_key("theirs")
        else:
            UserCalls(farm.client).set_disabled("bob", disabled=True)
        (attempt,) = farm.client.frame(job, 1).attempts
        assert (attempt.slave, attempt.state) == ("theirs", AttemptState.REVOKED), (
            "at once, not when it is heard of next"
        )
        farm.start_slave("ours")
        farm.until(lambda: len(farm.client.frame(job, 1).attempts) == 2, 120, "another slave has the frame")
        assert farm.client.frame(job, 1).attempts[-1].slave == "ours"
        assert theirs.popen.wait(120) != 0
        assert all_gone(*renderers), farm.logs()
        assert [each.state for each in farm.client.frame(job, 1).attempts] == [AttemptState.REVOKED, AttemptState.OPEN]
    farm.client.command(job, "cancel")
    assert farm.audit() == []
