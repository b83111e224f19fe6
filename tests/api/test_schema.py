"""Whatever a client sends: the server answers, and never breaks."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

from farm.client.farmclient import FarmClient
from tests.serving import Served

_SKIPPED = frozenset(
    {
        "/api/events",  # endless
        "/api/jobs/{job}/progress",  # endless, too
        "/api/accounts/logout",  # these three would end the test's own logins
        "/api/slave/logout",
        "/api/slave/login",
        "/api/slave/results/{attempt}",  # takes a tar, which schemathesis can't make
    }
)

_settings = settings(
    max_examples=6,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)


@pytest.mark.filterwarnings("ignore")
def test_no_request_breaks_the_server(served: Served, admin: FarmClient) -> None:
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    user = admin._http.headers["Authorization"]
    slave = served.slave(admin).http.headers["Authorization"]
    found: list[Any] = list(schema.get_all_operations())
    operations = [each.ok() for each in found]
    faults: list[str] = []
    for operation in operations:
        if operation.path not in _SKIPPED:
            token = slave if operation.path.startswith("/api/slave/") else user
            faults += broken(operation, {"Authorization": token})
    assert len(operations) > 30
    assert not faults, "\n".join(faults)


def broken(operation: Any, headers: dict[str, str]) -> list[str]:
    """Send what an operation's description allows and forbids; return what broke."""

    @_settings
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=[not_a_server_error])

    try:
        send()
    except AssertionError as error:
        return [f"{operation.label}: {error}"]
    except BaseExceptionGroup as group:
        return [f"{operation.label}: {error}" for error in group.exceptions]
    return []
