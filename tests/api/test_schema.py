"""Whatever a client sends: the server answers as its description says, and never breaks."""

from __future__ import annotations

import random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from farm.client.farmclient import FarmClient
from tests.api.everyone import ENDLESS, ENDS
from tests.api.test_jobs import queued, render, sha
from tests.serving import Served

SKIPPED = ENDLESS | ENDS | {"/api/slave/login"}
"""Streams without an end, and what would end the test's own logins."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

FEW, MANY = 4, 100
"""Requests for each address, of each kind: such as its description allows, and such as it forbids."""

schemathesis.serializer.alias("application/x-tar", "application/octet-stream")


class Asked:
    """Requests as the API's description allows and forbids them, half of them about what is there.

    Args:
        served: a server; a job of `admin`'s with a finished frame comes to be on it.
        folder: for files.
    """

    def __init__(self, served: Served, admin: FarmClient, folder: Any) -> None:
        self._admin = admin
        self._user = admin._http.headers["Authorization"]
        self._slave = served.slave(admin, "ws01")
        scene = b"a scene"
        job = queued(admin, folder, {"scene.txt": scene}).job
        render(self._slave, 1)
        self._names = {"job": job, "frame": 1, "name": "ws01", "user": "ada", "sha256": sha(scene), "attempt": 1}
        self._luck = random.Random(7)
        schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
        found = [each.ok() for each in schema.get_all_operations()]
        # First those that read; then those that change; at last what takes away what the others are about.
        order = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        self.operations: list[Any] = sorted(found, key=lambda each: order.index(each.method.upper()))

    def broken(self, count: int) -> list[str]:
        """Send so many requests of each kind for each operation; return what broke."""
        chosen = [each for each in self.operations if each.path not in SKIPPED]
        return [fault for each in chosen for mode in GenerationMode for fault in self._broken(each, mode, count)]

    def _broken(self, operation: Any, mode: GenerationMode, count: int) -> list[str]:
        headers = {"Authorization": self._slave.http.headers["Authorization"]}
        if not operation.path.startswith("/api/slave/"):
            headers = {"Authorization": self._user}

        @seed(7)
        @settings(
            max_examples=count,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
            report_multiple_bugs=count > FEW,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            if self._luck.random() < 0.5:
                case.path_parameters = {name: self._names.get(name, old) for name, old in case.path_parameters.items()}
            answer = case.call(headers=headers, allow_redirects=False, timeout=60)
            case.validate_response(answer, checks=CHECKS)

        try:
            send()
        except Unsatisfiable:
            return []  # nothing is forbidden of what takes nothing
        except (AssertionError, BaseExceptionGroup) as error:
            return [f"{mode.value} {operation.label}: {fault}" for fault in getattr(error, "exceptions", [error])]
        return []


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
def test_no_request_breaks_the_server_and_answers_are_as_described(
    served: Served, admin: FarmClient, tmp_path: Any
) -> None:
    asked = Asked(served, admin, tmp_path)
    assert len(asked.operations) > 100
    faults = asked.broken(FEW)
    assert not faults, "\n".join(faults)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.filterwarnings("ignore")
def test_hundreds_of_requests_for_each_address_break_nothing(served: Served, admin: FarmClient, tmp_path: Any) -> None:
    faults = Asked(served, admin, tmp_path).broken(MANY)
    assert not faults, "\n".join(faults)
