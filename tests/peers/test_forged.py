"""What is no peer's word, or said twice, too late, to somebody else, or too much, is refused; and told to the admin."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from farm.client.peerlink import Correspondence, PeerClient
from farm.peers.gate import BURST
from farm.peers.keys import KeyRing, verify
from farm.protocol.peers import WELL_KNOWN
from farm.protocol.signed import ANSWER, Letter, digest_of, raw
from farm.words.clock import SECOND, now
from farm.words.errors import PeerRefused
from farm.words.pace import Bucket
from tests.peers.conftest import Home


def keys(home: Home) -> KeyRing:
    return KeyRing(home.served.process.settings.data / "peering.key")


def letter(pair: tuple[Home, Home], method: str = "GET", target: str = "/api/jobs", **more: Any) -> Letter:
    said = Letter(method, target, digest_of(b""), "alpha", "beta", "maya", now(), f"{now():032x}")
    return replace(said, **more)


def say(pair: tuple[Home, Home], said: Letter, signature: bytes | None = None, body: bytes = b"") -> httpx.Response:
    signature = keys(pair[0]).sign(said.text()) if signature is None else signature
    headers = {**said.headers(signature), "content-type": "application/json"}
    return pair[1].served.http.request(said.method, said.target, headers=headers, content=body)


def test_what_a_peer_signs_is_taken_and_the_answer_is_signed(pair: tuple[Home, Home]) -> None:
    said = letter(pair)
    answer = say(pair, said)
    assert answer.status_code == 200
    verify(keys(pair[1]).public, said.answered(200, answer.content), bytes.fromhex(answer.headers[ANSWER]))


def test_a_message_is_taken_once(pair: tuple[Home, Home]) -> None:
    for said in (letter(pair), letter(pair, "POST", "/api/peering/hello", user="")):
        assert say(pair, said).status_code == 200
        again = say(pair, said)
        assert (again.status_code, again.json()["code"]) == (401, "peer_refused")
        assert "said this before" in again.json()["detail"]


def test_nothing_of_a_message_can_be_changed(pair: tuple[Home, Home]) -> None:
    said = letter(pair)
    signature = keys(pair[0]).sign(said.text())
    changes: list[dict[str, Any]] = [
        {"target": "/api/jobs?limit=1"},
        {"target": "/api/methods"},
        {"user": "ada"},
        {"at": said.at + 1},
        {"nonce": "0" * 32},
        {"digest": digest_of(b"{}")},
    ]
    for change in changes:
        answer = say(pair, replace(said, **change), signature)
        assert (answer.status_code, answer.json()["code"]) == (401, "peer_refused"), change
    assert "signature is none of alpha's" in pair[1].peers.peers()[0].error


def test_the_body_is_the_one_that_was_signed(pair: tuple[Home, Home]) -> None:
    wish = {"name": "a", "requires": {"method": "sleep"}, "frames": "1", "source": ""}
    body, other = json.dumps(wish).encode(), json.dumps({**wish, "frames": "1-9"}).encode()
    before = len(pair[1].admin.jobs().jobs)
    said = letter(pair, "POST", digest=digest_of(body))
    assert say(pair, said, body=other).status_code == 401
    assert len(pair[1].admin.jobs().jobs) == before
    streamed = letter(pair, "POST", digest="-")
    assert say(pair, streamed, body=body).status_code == 401
    assert say(pair, letter(pair, "POST", digest=digest_of(body)), body=body).status_code == 201


@pytest.mark.parametrize("apart", [-61, 61, -3600])
def test_what_is_too_old_or_of_the_future_is_refused(pair: tuple[Home, Home], apart: int) -> None:
    answer = say(pair, letter(pair, at=now() + apart * SECOND))
    assert (answer.status_code, answer.json()["code"]) == (401, "peer_refused")
    assert "clocks" in answer.json()["hint"]


def test_what_is_for_another_server_or_of_none_that_is_known_is_refused(pair: tuple[Home, Home]) -> None:
    for change in ({"to": "gamma"}, {"sender": "gamma"}, {"sender": "beta"}):
        answer = say(pair, letter(pair, **change))
        assert (answer.status_code, answer.json()["code"]) == (401, "peer_refused")


def test_an_older_or_newer_protocol_is_refused_by_name(pair: tuple[Home, Home]) -> None:
    for peering, word in ((0, "older"), (2, "newer")):
        answer = say(pair, letter(pair, peering=peering))
        assert (answer.status_code, answer.json()["code"]) == (409, "version_unfit")
        assert word in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/accounts/users"),
        ("POST", "/api/accounts/invites"),
        ("POST", "/api/accounts/passphrase"),
        ("POST", "/api/slave/login"),
        ("POST", "/api/peers/invites"),
        ("POST", "/api/peering/hello"),
        ("GET", "/api/peers/beta/via/api/jobs"),
        ("POST", "/api/jobs/povray"),
        ("PUT", "/api/jobs/1/first"),
        ("GET", "/jobs"),
        ("GET", "/api/jobs/../accounts/users"),
    ],
)
def test_a_peers_user_does_nothing_but_what_is_about_jobs(pair: tuple[Home, Home], method: str, target: str) -> None:
    answer = say(pair, letter(pair, method, target))
    assert answer.status_code in (401, 403), answer.text


def test_a_server_without_a_user_only_speaks_for_itself(pair: tuple[Home, Home]) -> None:
    assert say(pair, letter(pair, user="")).status_code == 403


@pytest.mark.parametrize("header", ["distren-from", "distren-nonce", "distren-time", "distren-body", "distren-peering"])
def test_half_a_message_is_none(pair: tuple[Home, Home], header: str) -> None:
    said = letter(pair)
    headers = said.headers(keys(pair[0]).sign(said.text()))
    for wrong in ("", "é" * 3, "9" * 400):
        answer = pair[1].served.http.get("/api/jobs", headers={**headers, header: wrong.encode()})
        assert answer.status_code in (401, 422)


def test_an_answer_that_the_peer_did_not_sign_is_not_believed(pair: tuple[Home, Home], tmp_path: Path) -> None:
    alpha, beta = pair
    others = KeyRing(tmp_path / "others").public
    to = Correspondence(
        server="alpha",
        peer="beta",
        url=beta.served.url,
        user="maya",
        sign=keys(alpha).sign,
        verify=lambda text, signature: verify(others, text, signature),
        private=True,
    )
    with PeerClient(to) as client, pytest.raises(PeerRefused, match="not signed by beta"):
        client.jobs()
    assert ANSWER not in beta.served.http.get(WELL_KNOWN).headers


def test_what_is_large_passes_a_peer_as_it_comes_and_all_else_is_signed() -> None:
    job = "/api/jobs/12"
    streams = [
        "bundle?frames=1",
        "package",
        "output/3/a/b.png",
        "frames/3/log",
        "frames/3/thumbnail",
        "frames/3/bundle",
    ]
    assert all(raw(f"{job}/{part}") for part in streams)
    assert not any(raw(f"{job}{part}") for part in ("", "/frames", "/output", "/frames/3", "/frames?x=/bundle"))


def test_a_peer_that_floods_is_slowed_down() -> None:
    bucket = Bucket(rate=200, burst=BURST)
    assert [bucket.take(0.0) for _ in range(int(BURST))] == [0.0] * int(BURST)
    assert bucket.take(0.0) > 0
    assert bucket.take(0.005) == 0
    assert bucket.take(0.005) > 0


def test_a_page_of_a_peers_is_no_page_here(pair: tuple[Home, Home]) -> None:
    alpha = pair[0]
    alpha.at("beta")
    answer = alpha.at("beta").send("GET", "/api/methods")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
