from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.peers import AcceptPeer, MakePeerInvite, PeerState, Rotate
from farm.words.errors import (
    Forbidden,
    Malformed,
    NameTaken,
    NeedsConfirmation,
    PeeringPaused,
    PeerRefused,
    RegistrationRefused,
    UnknownPeer,
)
from tests.peers.conftest import Home, befriend, home, sleep_job
from tests.serving import serving


def test_both_admins_agree_and_each_server_knows_the_other(pair: tuple[Home, Home]) -> None:
    for one, other in (pair, pair[::-1]):
        (known,) = one.peers.peers()
        assert (known.name, known.state, known.address) == (other.name, PeerState.ACTIVE, other.served.url)
        assert "sleep" in known.methods


def test_only_admins_invite_and_accept(pair: tuple[Home, Home]) -> None:
    alpha = pair[0]
    user = alpha.served.invited(alpha.admin, "maya")
    with pytest.raises(Forbidden):
        user.post("/api/peers/invites", type(alpha.peers.peers()[0]), MakePeerInvite(name="gamma"))


def test_an_invite_is_for_one_server_and_names_are_unique(pair: tuple[Home, Home], tmp_path: Path) -> None:
    alpha, beta = pair
    with pytest.raises(NameTaken, match="itself"):
        alpha.peers.invite(MakePeerInvite(name="alpha"))
    with pytest.raises(NameTaken, match="a peer already"):
        alpha.peers.invite(MakePeerInvite(name="beta"))
    code = alpha.peers.invite(MakePeerInvite(name="gamma")).code
    with pytest.raises(RegistrationRefused):
        beta.peers.accept(AcceptPeer.model_validate({"code": code}))
    with pytest.raises(Malformed, match="no code of a peer's"):
        beta.peers.accept(AcceptPeer.model_validate({"code": "nonsense"}))
    # Another server that calls itself alpha: it can neither accept nor be accepted.
    with home(tmp_path / "other", "alpha") as impostor:
        forged = impostor.peers.invite(MakePeerInvite(name="beta")).code
        with pytest.raises(NameTaken, match="another key"):
            beta.peers.accept(AcceptPeer.model_validate({"code": forged}))
        with pytest.raises(NameTaken, match="is called"):
            impostor.peers.accept(AcceptPeer.model_validate({"code": code}))
    assert [peer.address for peer in beta.peers.peers()] == [alpha.served.url]


def test_a_code_leads_to_no_other_server_than_the_one_that_made_it(pair: tuple[Home, Home]) -> None:
    alpha, beta = pair
    secret, _, rest = alpha.peers.invite(MakePeerInvite(name="delta")).code.partition("@")
    fingerprint = rest.partition("#")[2]
    with pytest.raises(PeerRefused, match="not the one that made the code"):
        alpha.peers.accept(AcceptPeer.model_validate({"code": f"{secret}@{beta.served.url}#{fingerprint}"}))


def test_private_networks_are_only_for_whom_the_admin_allows_them(pair: tuple[Home, Home], tmp_path: Path) -> None:
    with serving(tmp_path, name="prim") as served:
        admin = served.admin()
        code = pair[0].peers.invite(MakePeerInvite(name="prim")).code
        with pytest.raises(Forbidden, match="private network"):
            admin.post("/api/peers", type(pair[0].peers.peers()[0]), AcceptPeer.model_validate({"code": code}))


def test_a_user_works_at_a_peer_with_the_account_at_home(pair: tuple[Home, Home]) -> None:
    alpha, beta = pair
    there = alpha.at("beta")
    job = sleep_job(there)
    assert (job.owner, job.address) == ("alpha-admin@alpha", f"distren://beta/{job.job}")
    assert beta.admin.job(job.job).owner == "alpha-admin@alpha"
    assert there.command(job.job, "pause").state == "paused"
    assert [one.job for one in there.jobs().jobs] == [job.job]
    assert there.command(job.job, "cancel").state == "canceled"


def test_a_peers_admin_is_none_here_and_sees_only_their_own(pair: tuple[Home, Home]) -> None:
    alpha, beta = pair
    theirs = sleep_job(beta.admin)
    there = alpha.at("beta")
    assert theirs.job not in [one.job for one in there.jobs().jobs]
    for call in (lambda: there.job(theirs.job), lambda: there.command(theirs.job, "cancel")):
        with pytest.raises(Exception, match="There is no job"):
            call()
    for call in (there.slaves, lambda: there.make_slave_key("ws1"), lambda: there.send("GET", "/api/points")):
        with pytest.raises(Forbidden, match="Other servers may not"):
            call()
    # One hop only: a peer can't be asked to ask another.
    with pytest.raises(Forbidden, match="Other servers may not"):
        there.send("GET", "/api/peers")


def test_an_admin_may_let_a_peers_users_see_all_jobs_but_not_touch_them(tmp_path: Path) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(home(tmp_path / name, name)) for name in ("one", "other"))
        befriend(one, other, sees_all=True)
        theirs = sleep_job(other.admin)
        there = one.at("other")
        assert there.job(theirs.job).owner == "other-admin"
        with pytest.raises(Forbidden, match="is of another server"):
            there.command(theirs.job, "cancel")
        # The other way round nothing was agreed.
        own = sleep_job(one.admin)
        with pytest.raises(Exception, match="There is no job"):
            other.at("one").job(own.job)


def test_a_paused_peer_gets_nothing_until_it_is_resumed(pair: tuple[Home, Home]) -> None:
    alpha, beta = pair
    beta.peers.pause("alpha")
    try:
        with pytest.raises(PeeringPaused):
            alpha.at("beta").jobs()
        with pytest.raises(PeeringPaused):
            beta.at("alpha").jobs()
    finally:
        beta.peers.resume("alpha")
    alpha.at("beta").jobs()


def test_new_keys_are_told_to_peers_and_the_exchange_goes_on(pair: tuple[Home, Home]) -> None:
    alpha, beta = pair
    before = beta.peers.peers()[0].fingerprint
    done = alpha.peers.rotate(Rotate())
    assert done.told == ["beta"]
    assert beta.peers.peers()[0].fingerprint == done.fingerprint != before
    alpha.at("beta").jobs()
    beta.at("alpha").jobs()
    assert alpha.peers.rotate(Rotate(revoke=True)).told == ["beta"]
    alpha.at("beta").jobs()
    beta.at("alpha").jobs()


def test_an_exchange_ends_on_both_sides_but_not_while_jobs_of_theirs_run(tmp_path: Path) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(home(tmp_path / name, name)) for name in ("one", "other"))
        befriend(one, other)
        sleep_job(one.at("other"))
        with pytest.raises(NeedsConfirmation, match="have not ended here"):
            other.peers.end("one")
        other.peers.end("one", confirmed=True)
        assert [peer.state for peer in one.peers.peers()] == [PeerState.ENDED]
        for here, name in ((one, "other"), (other, "one")):
            with pytest.raises(UnknownPeer):
                here.at(name).jobs()
        befriend(one, other)
        assert len(one.at("other").jobs().jobs) == 1


def test_nobody_logs_in_as_a_peers_user(pair: tuple[Home, Home]) -> None:
    alpha, beta = pair
    alpha.at("beta").jobs()
    answer = beta.served.http.post("/api/accounts/login", json={"name": "alpha-admin@alpha", "passphrase": "x" * 8})
    assert answer.status_code == 422
    assert isinstance(beta.admin, FarmClient)
