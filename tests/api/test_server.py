"""What the server says of itself."""

from __future__ import annotations

import re
from pathlib import Path

from farm.client.farmclient import FarmClient
from tests.serving import Served, serving


def test_anyone_may_ask_who_it_is_and_how(served: Served) -> None:
    info = served.client().server_info()
    assert (info.name, info.profile, info.registration) == ("home", "studio", "invite")
    assert {"blender", "sleep"} <= set(info.methods)
    assert served.http.get("/healthz").json() == {"status": "alive"}
    assert served.http.get("/readyz").json() == {"status": "ready"}
    assert served.http.get("/docs").status_code == 200


def test_its_page_of_requests_needs_nothing_from_elsewhere(served: Served) -> None:
    answer = served.http.get("/docs")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert re.findall(r"<script(?! src=\"/static/)", answer.text) == []
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    for path, operations in served.http.get("/openapi.json").json()["paths"].items():
        for verb in operations:
            assert f"<b>{verb.upper()}</b><code>{path}</code>" in answer.text
    assert 'Send: application/json <a href="#Submission">Submission</a>' in answer.text
    assert '<details id="Submission">' in answer.text


def test_it_is_not_ready_without_disk_space(tmp_path: Path) -> None:
    with serving(tmp_path / "data", free_space=10**18) as served:
        answer = served.http.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
        assert answer.headers["retry-after"]
        assert served.http.get("/healthz").status_code == 200


def test_its_numbers_are_there_for_prometheus(served: Served, admin: FarmClient) -> None:
    served.slave(admin).orders()
    text = served.http.get("/metrics").text
    for line in (
        'distren_slaves{state="idle"} 1.0',
        'distren_jobs{state="done"} 0.0',
        'distren_frames{state="ready"} 0.0',
        "distren_writer_queue 0.0",
        "distren_hanging_calls 0.0",
        'distren_request_seconds_count{method="POST",route="/api/slave/next"} 1.0',
    ):
        assert line in text, line


def test_paths_of_jobs_are_no_time_series_of_their_own(served: Served, admin: FarmClient) -> None:
    headers = {"Authorization": admin._http.headers["Authorization"]}
    for number in range(5):
        served.http.get(f"/api/jobs/{number}", headers=headers)
        served.http.get(f"/nowhere/{number}", headers=headers)
    text = served.http.get("/metrics").text
    assert 'route="/api/jobs/{job}"' in text
    assert "/nowhere/" not in text


def test_methods_declare_their_settings(admin: FarmClient) -> None:
    found = {method.name: method for method in admin.methods()}
    assert found["sleep"].settings
    assert found["blender"].source_suffixes == [".blend"]
