"""Every error is a problem, with a code and what to do."""

from __future__ import annotations

import pytest

from farm.client.farmclient import FarmClient
from farm.files.store import Usage
from tests.serving import Served


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/api/jobs/999", 404, "job_not_found"),
        ("DELETE", "/api/methods", 405, "method_not_allowed"),
        ("GET", "/api/jobs/twelve", 422, "malformed"),
        ("GET", "/api/jobs/99999999999999999999", 422, "malformed"),
        ("POST", "/api/slaves", 422, "malformed"),
        ("GET", "/api/events?after=nonsense", 422, "malformed"),
    ],
)
def test_errors_are_problems(served: Served, admin: FarmClient, method: str, path: str, status: int, code: str) -> None:
    answer = served.http.request(method, path, headers={"Authorization": admin._http.headers["Authorization"]})
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), body
    assert {"type", "title", "detail"} <= set(body)


def test_a_malformed_body_names_the_member_and_why(served: Served) -> None:
    answer = served.http.post("/api/accounts/login", json={"name": "ada", "passphrase": "short", "more": 1})
    faults = {fault["member"]: fault["message"] for fault in answer.json()["faults"]}
    assert set(faults) == {"passphrase", "more"}
    answer = served.http.post("/api/accounts/login", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


def test_a_malformed_report_is_refused_by_the_hot_route_too(served: Served, admin: FarmClient) -> None:
    slave = served.slave(admin)
    answer = slave.http.post("/api/slave/next", content=b'{"seq": -1, "running": 7}')
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert {fault["member"] for fault in answer.json()["faults"]} == {"seq", "running"}


def test_what_breaks_tells_strangers_nothing_but_a_number(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> Usage:
        raise ZeroDivisionError("secret detail")

    assert served.process._server is not None
    monkeypatch.setattr(served.process._server._services.store, "usage", break_down)
    answer = served.http.get("/metrics")
    assert answer.status_code == 500
    assert answer.json()["code"] == "error"
    assert answer.json()["incident"] in answer.json()["hint"]
    assert "secret" not in answer.text


def test_the_description_is_complete(served: Served) -> None:
    schema = served.http.get("/openapi.json").json()
    text = served.http.get("/openapi.json").text
    names = set(schema["components"]["schemas"])
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in names, reference
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation.get("summary"), path
            assert operation.get("description"), path
            assert operation.get("tags"), path
