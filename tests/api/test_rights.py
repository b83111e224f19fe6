"""Every address of the API, as everyone who may not: nobody, strangers, slaves, peers, and tokens that are void."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import httpx
import pytest

from farm.accounts.logins import LIFE
from farm.accounts.opaque import digest
from farm.api.peers.letters import INTRODUCTION
from farm.client.farmclient import FarmClient
from farm.protocol.accounts import LogIn
from farm.protocol.errands import ErrandView, SendErrand
from farm.protocol.signed import STREAMED, digest_of
from farm.words.errands import Errand
from farm.words.states import SlaveState
from tests.api.everyone import ENDLESS, ENDS, Call, calls
from tests.api.test_jobs import queued, render, sha
from tests.api.test_upgrades import old
from tests.peers.conftest import Home, befriend, home
from tests.peers.test_forged import letter, say
from tests.serving import PASSPHRASE, SlaveCaller

SECRET = "secret shot"
"""What ada calls all that she may name: nobody else reads it."""

ADMINS = frozenset(
    {
        "POST /api/accounts/invites",
        "GET /api/accounts/users",
        "POST /api/accounts/users/{name}/recovery",
        "PUT /api/accounts/users/{name}/standing",
        "PUT /api/accounts/users/{name}/quota",
        "PUT /api/jobs/{job}/first",
        "DELETE /api/jobs/{job}/first",
        "GET /api/deeds",
        "GET /api/points/audit",
        "GET /api/points/books",
        "PUT /api/pools/{name}",
        "DELETE /api/pools/{name}",
        "PUT /api/slaves/{name}/tags",
        "GET /api/doubts",
        "GET /api/doubts/{attempt}/checked",
        "GET /api/doubts/{attempt}/other",
        "POST /api/doubts/{name}/trust",
        "DELETE /api/doubts/{name}/trust",
        "POST /api/doubts/{name}/convict",
        "PUT /api/shares",
        "PUT /api/shares/{user}",
        "POST /api/peers",
        "POST /api/peers/invites",
        "POST /api/peers/rotate",
        "POST /api/peers/{name}/pause",
        "POST /api/peers/{name}/resume",
        "PUT /api/peers/{name}/lend",
        "DELETE /api/peers/{name}/lend",
        "PUT /api/peers/{name}/borrow",
        "DELETE /api/peers/{name}/borrow",
        "POST /api/peers/{name}/audit",
        "DELETE /api/peers/{name}",
    }
)
"""What only admins may do."""

USERS = frozenset({"GET /api/peers/{name}/history"})
"""What all users may read though it is about something that has a name: what servers lend each other is no user's."""

PEERS = ("/api/jobs", "/api/methods", "/api/server", "/api/accounts/me", "/api/peering/", "/api/blobs/")
"""What peers, or their users and slaves, may ask for."""


@dataclass
class Everyone:
    """A farm for strangers: ada has a job, a slave and a webhook; bob has a slave; `alpha` is a peer."""

    alpha: Home
    beta: Home
    calls: list[Call]
    ada: FarmClient
    bob: FarmClient
    slave: SlaveCaller
    bobs: SlaveCaller
    names: dict[str, str]

    def void(self) -> dict[str, str]:
        """Return tokens that were good once, or are elsewhere: what is wrong with each, and the token."""
        served, admin = self.beta.served, self.beta.admin
        revoked = served.client(served.client().login(LogIn(name="bob", passphrase=PASSPHRASE)).token)
        found = {"none of this server's": self.alpha.token, "revoked": _token(revoked)}
        revoked.logout()
        found["expired"] = served.client().login(LogIn(name="bob", passphrase=PASSPHRASE)).token
        file = served.process.settings.data / "distren.sqlite3"
        with closing(sqlite3.connect(file)) as database, database:
            older = "UPDATE token SET used = used - ? WHERE hash = ?"
            assert database.execute(older, (LIFE, digest(found["expired"]))).rowcount == 1
        kept_out = served.invited(admin, "mallory")
        found["of a user who is kept out"] = _token(kept_out)
        said = admin._http.put("/api/accounts/users/mallory/standing", json={"disabled": True})
        assert said.status_code == 204, said.text
        retired = served.slave(self.bob, "ws09")
        found["of a retired slave"] = retired.welcome.token
        self.bob.retire_slave("ws09")
        return found

    def state(self) -> object:
        """Return what nobody but ada and the admins may change."""
        number = int(self.names["job"])
        job, frames = self.ada.job(number), self.ada.frames(number).frames
        (slave,) = [each for each in self.ada.slaves() if each.name == "ws01"]
        admin = self.beta.admin._http
        mine = [self.ada._http.get(f"/api/{what}").json() for what in ("notifications", "friends")]
        theirs = [admin.get(f"/api/{what}").json() for what in ("pools", "shares", "slaves/join-codes")]
        peers = [(peer["name"], peer["state"], peer["sees_all"]) for peer in admin.get("/api/peers").json()]
        users = admin.get("/api/accounts/users").json()
        people = [(user["name"], user["role"], user["quota_bytes"]) for user in users if "@" not in user["name"]]
        # Not whether the slave is heard of: nobody reports for it meanwhile.
        held = slave.state in {SlaveState.PAUSED, SlaveState.RETIRED}
        return (
            *(job.state, job.priority, job.boost, job.rush, job.counts, job.comment, held),
            *(slave.terms, slave.tags, slave.pool, mine, theirs, peers, people),
            [(frame.frame, frame.state, frame.files) for frame in frames],
        )


def _token(client: FarmClient) -> str:
    return str(client._http.headers["Authorization"]).removeprefix("Bearer ")


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everyone]:
    with ExitStack() as stack:
        alpha, beta = (
            stack.enter_context(home(tmp_path_factory.mktemp(name), name, profile="open")) for name in ("alpha", "beta")
        )
        befriend(alpha, beta)
        ada, bob = (beta.served.invited(beta.admin, name) for name in ("ada", "bob"))
        slave, bobs = old(beta.served, ada), beta.served.slave(bob, "ws02")
        stack.callback(slave.close)
        folder = tmp_path_factory.mktemp("everyone")
        scene = SECRET.encode()
        job = queued(ada, folder, {"scene.txt": scene}, name=SECRET, comment=SECRET, project=SECRET).job
        render(slave, 1)
        errand = ada.post("/api/slaves/ws01/errands", ErrandView, SendErrand(errand=Errand.LOG)).number
        told = {"number": errand, "stage": "done", "message": SECRET, "text": SECRET}
        assert slave.http.post("/api/slave/errand", json=told).status_code == 204
        hook = {"way": "webhook", "address": f"http://127.0.0.1:9/{SECRET.replace(' ', '-')}", "about": ["done"]}
        said = ada._http.post("/api/notifications", json=hook)
        assert (said.status_code, said.json()["id"]) == (201, errand), said.text
        names = {
            "job": str(job),
            "frame": "1",
            "name": "ws01",
            "user": "ada",
            "number": str(errand),
            "sha256": sha(scene),
            "attempt": "1",
            "address": f"distren://beta/{job}",
            "whose": "ada",
        }
        schema = beta.served.http.get("/openapi.json").json()
        yield Everyone(alpha, beta, list(calls(schema)), ada, bob, slave, bobs, names)


def refusals(answer: httpx.Response, call: Call, statuses: set[int]) -> list[str]:
    """Return what is wrong with a refusal."""
    wrong = []
    if answer.status_code not in statuses:
        wrong.append(f"{call.method} {call.path}: {answer.status_code} {answer.text[:200]}")
    elif answer.headers["content-type"] != "application/problem+json":
        wrong.append(f"{call.method} {call.path}: {answer.headers['content-type']}")
    return wrong + leaks(answer, call)


def leaks(answer: httpx.Response, call: Call) -> list[str]:
    """Return whether an answer tells what is ada's, or breaks."""
    told = answer.content if answer.is_closed and hasattr(answer, "_content") else b""
    if SECRET.encode() in told or SECRET.replace(" ", "-").encode() in told:
        return [f"{call.method} {call.path} tells what is ada's"]
    return [f"{call.method} {call.path}: {answer.text[:300]}"] if answer.status_code >= 500 else []


def test_who_has_no_valid_token_is_refused_everywhere(everyone: Everyone) -> None:
    tokens = {"none": "", "invented": "x" * 40, **everyone.void()}
    before = everyone.state()
    closed = [call for call in everyone.calls if not call.public]
    assert len(closed) > 90
    wrong = []
    for what, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        for call in closed:
            answer = call.send(everyone.beta.served.http, everyone.names, headers)
            wrong += [f"{what}: {fault}" for fault in refusals(answer, call, {401})]
    assert not wrong, "\n".join(wrong)
    assert everyone.state() == before


def test_a_stranger_reads_and_changes_nothing_of_anothers(everyone: Everyone) -> None:
    before = everyone.state()
    headers = {"Authorization": f"Bearer {_token(everyone.bob)}"}
    wrong, admins = [], set()
    for call in everyone.calls:
        if call.path in ENDS or call.public:
            continue
        answer = call.send(everyone.beta.served.http, everyone.names, headers)
        label = f"{call.method} {call.path}"
        if call.path.startswith(("/api/slave/", "/api/peering/")):
            wrong += refusals(answer, call, {401, 403})
        elif label in ADMINS:
            wrong += refusals(answer, call, {403})
            admins.add(label)
        elif "{" in call.path and label not in USERS and not call.path.startswith(("/api/blobs/", "/api/friends/")):
            wrong += refusals(answer, call, {403, 404})
        else:
            wrong += leaks(answer, call)
    assert not wrong, "\n".join(wrong)
    assert admins == ADMINS, "a new address of admins belongs into the list"
    assert everyone.state() == before


def test_a_slave_opens_no_users_doors_and_no_other_slaves(everyone: Everyone) -> None:
    before = everyone.state()
    headers = {"Authorization": f"Bearer {everyone.bobs.welcome.token}"}
    wrong = []
    for call in everyone.calls:
        if call.path in ENDS or call.public:
            continue
        answer = call.send(everyone.beta.served.http, everyone.names, headers)
        if not call.path.startswith("/api/slave/"):
            wrong += refusals(answer, call, {403})
        elif "{" in call.path:
            wrong += refusals(answer, call, {403, 404, 409})
        else:
            wrong += leaks(answer, call)
    assert not wrong, "\n".join(wrong)
    assert everyone.state() == before


@pytest.mark.parametrize("user", ["maya", "", ":ws01"], ids=["for a user", "for itself", "for a slave"])
def test_a_peer_reads_and_changes_nothing_of_ours(everyone: Everyone, user: str) -> None:
    before = everyone.state()
    pair = (everyone.alpha, everyone.beta)
    wrong = []
    for call in everyone.calls:
        if call.path in {*ENDS, *ENDLESS, "/api/peering/end", "/api/peering/key"}:
            continue
        target = str(httpx.URL(call.about(everyone.names), params=call.asked(everyone.names) or None))
        answer = say(pair, letter(pair, call.method, target, user=user, digest=digest_of(call.body)), body=call.body)
        if "{" in call.path and not call.path.startswith("/api/blobs/"):
            wrong += refusals(answer, call, {401, 403, 404})
        elif not call.path.startswith(PEERS):
            wrong += refusals(answer, call, {401, 403})
        else:
            wrong += leaks(answer, call)
    assert not wrong, "\n".join(wrong)
    assert everyone.state() == before


def test_a_streamed_letter_opens_nothing_but_files(everyone: Everyone) -> None:
    pair = (everyone.alpha, everyone.beta)
    for call in everyone.calls:
        if call.path != INTRODUCTION and not call.path.startswith(("/api/blobs/", "/api/slave/results/")):
            said = letter(pair, call.method, call.about(everyone.names), digest=STREAMED)
            assert say(pair, said).status_code == 401, call.path
