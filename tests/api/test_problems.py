"""Every error is a problem, with a code and what to do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import Dialect, String, TypeDecorator, create_engine, literal, select

from farm.api import problem
from farm.api.limits import Limits
from farm.client.farmclient import FarmClient
from farm.files.store import Usage
from farm.words.errors import NotFound
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


def refused(served: Served, path: str = "/metrics") -> str:
    answer = served.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), answer.text
    assert int(answer.headers["retry-after"]) >= 1
    return str(answer.json()["detail"])


def test_memory_that_ends_inside_of_a_library_is_a_shortage_too(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLAlchemy puts what it lacks to prepare a statement into an error of its own, tasks put theirs into groups."""

    def grouped() -> Usage:
        raise ExceptionGroup("tasks", [MemoryError()])

    class Hungry(TypeDecorator[str]):
        impl, cache_ok = String, True

        def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
            raise MemoryError

    def prepared() -> Usage:
        with create_engine("sqlite://").connect() as conn:
            return Usage(conn.execute(select(literal("x", Hungry()))).scalar_one(), 0)

    class PanicException(BaseException):
        pass

    def panics() -> Usage:
        raise PanicException("PyObject pointer is null")

    assert served.process._server is not None
    for fault in (grouped, prepared, panics):
        monkeypatch.setattr(served.process._server._services.store, "usage", fault)
        assert "no memory" in refused(served)


def test_what_is_wrong_stays_so_though_it_was_found_by_an_error_of_the_system(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named() -> Usage:
        raise NotFound("There is no such thing.") from MemoryError()

    assert served.process._server is not None
    monkeypatch.setattr(served.process._server._services.store, "usage", named)
    assert served.http.get("/metrics").status_code == 404


@pytest.mark.parametrize("path", ["/metrics", "/api/server"])
def test_a_server_that_has_not_even_the_memory_to_log_a_refusal_answers_503_all_the_same(
    served: Served, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise MemoryError

    assert served.process._server is not None
    monkeypatch.setattr(served.process._server._services.store, "usage", full)
    monkeypatch.setattr(problem, "log", SimpleNamespace(warning=full, error=full))
    monkeypatch.setattr(Limits, "__call__", Limits.__call__ if path == "/metrics" else full)
    assert "no memory" in refused(served, path)


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
