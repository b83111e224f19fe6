"""The dashboard over plain HTTP, as a browser without scripts and as other sites would use it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from farm.accounts.formula import points
from farm.client.farmclient import FarmClient
from farm.client.pointcalls import PointCalls
from farm.words.states import JobState
from tests.api.browsing import log_in, own, text
from tests.api.test_jobs import queued, render
from tests.jobs.pretend import tar_of
from tests.serving import PASSPHRASE, Served, SlaveCaller


def test_a_browser_without_a_login_is_led_to_it_and_a_program_is_refused(served: Served, admin: FarmClient) -> None:
    led = served.http.get("/jobs/1?state=done", headers={"accept": "text/html"})
    assert (led.status_code, led.headers["location"]) == (303, "/login?next=%2Fjobs%2F1%3Fstate%3Ddone")
    refused = served.http.get("/jobs/1")
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as browser:
        assert log_in(browser, next="/jobs/1?state=done").headers["location"] == "/jobs/1?state=done"


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "jobs", "/a\nb"])
def test_a_login_leads_to_this_server_only(served: Served, admin: FarmClient, elsewhere: str) -> None:
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as browser:
        assert log_in(browser, next=elsewhere).headers["location"] == "/"


def test_a_wrong_passphrase_gives_no_cookie_and_says_so(served: Served, admin: FarmClient) -> None:
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as browser:
        refused = log_in(browser, "wrong")
    assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
    assert 'role="alert"' in refused.text


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(served: Served, admin: FarmClient) -> None:
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as browser:
        cookie = log_in(browser).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_cookie_reads_the_api_but_changes_nothing_through_it(
    browser: httpx.Client, admin: FarmClient, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path).job
    assert browser.get(f"/api/jobs/{job}").json()["name"] == "nap"
    assert browser.post(f"/api/jobs/{job}/pause").status_code == 401
    assert admin.job(job).state is JobState.QUEUED


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
    ids=str,
)
def test_a_form_of_another_site_does_nothing(
    served: Served, browser: httpx.Client, admin: FarmClient, tmp_path: Path, headers: dict[str, str]
) -> None:
    job = queued(admin, tmp_path).job
    form = {"job": str(job), "verb": "pause"}
    with httpx.Client(base_url=served.url, cookies=browser.cookies, trust_env=False) as other:
        assert other.post("/jobs", data=form, headers=headers).status_code == 401
    assert admin.job(job).state is JobState.QUEUED
    assert browser.post("/jobs", data=form).status_code == 303
    assert admin.job(job).state is JobState.PAUSED


def test_hostile_names_are_text_and_no_script_may_run(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    job = queued(admin, tmp_path, name=evil, comment=evil, project=evil).job
    render(slave, 3)
    for address in (
        "/",
        "/jobs",
        f"/jobs/{job}",
        f"/jobs/{job}/1",
        f"/jobs?search={evil}",
        f"/jobs/{job}?state={evil}",
    ):
        page = browser.get(address)
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy


def test_pages_tell_all_without_a_script(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    assert "Nothing to render" in text(browser.get("/"))
    job = queued(admin, tmp_path, frames="1-3,10", approval=True).job
    render(slave, 3)
    shown = text(browser.get(f"/jobs/{job}"))
    assert "3 of 4" in shown
    assert "waits for approval" in shown
    assert re.search(r"\b[1-3]: ready", shown)
    last = browser.get(f"/jobs/{job}/10")
    assert 'rel="next"' not in last.text
    frame = text(last)
    assert "← 3" in frame
    assert "0001.png" in frame
    assert "ws01" in frame
    assert "nap" in text(browser.get("/jobs?state=paused"))
    assert "No such jobs" in text(browser.get("/jobs?state=failed"))
    assert "sleep" in text(browser.get("/slaves"))


def test_many_jobs_are_changed_at_once_and_what_fails_is_named(
    browser: httpx.Client, admin: FarmClient, tmp_path: Path
) -> None:
    jobs = [queued(admin, tmp_path).job for _ in range(3)]
    browser.post("/jobs", data={"job": str(jobs[0]), "verb": "pause"})
    partly = browser.post("/jobs", data={"job": [str(n) for n in (*jobs, 99)], "verb": "resume"})
    assert partly.status_code == 409
    assert "There is no job 99." in partly.text
    assert {admin.job(n).state for n in jobs} == {JobState.QUEUED}


def test_what_destroys_is_asked_about_before(browser: httpx.Client, admin: FarmClient, tmp_path: Path) -> None:
    job = queued(admin, tmp_path).job
    form = {"job": str(job), "verb": "cancel"}
    assert "Cancel 1 job?" in text(browser.post("/jobs", data=form))
    assert admin.job(job).state is JobState.QUEUED
    browser.post("/jobs", data={**form, "sure": "true"})
    assert admin.job(job).state is JobState.CANCELED


def test_another_users_job_is_asked_about_before(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    job = queued(admin, tmp_path).job
    served.invited(admin, "bea")
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as hers:
        hers.post("/login", data={"name": "bea", "passphrase": PASSPHRASE})
        asked = text(hers.post("/jobs", data={"job": str(job), "verb": "pause"}))
        assert "Not all of them are yours" in asked
        assert admin.job(job).state is JobState.QUEUED
        hers.post("/jobs", data={"job": str(job), "verb": "pause", "sure": "true"})
    assert admin.job(job).state is JobState.PAUSED


def test_a_slave_key_is_made_and_works(browser: httpx.Client, served: Served, admin: FarmClient) -> None:
    shown = browser.post("/newslave", data={"name": "ws07"}).text
    found = dict(re.findall(r"(key|password|server) = &#34;(.*?)&#34;|(?!)", shown)) or dict(
        re.findall(r'(key|password|server) = "(.*?)"', shown)
    )
    assert found["server"] == served.url
    login = {"key": found["key"], "password": found["password"], "version": "1", "slots": 1}
    machine = {"hardware": {"cores": 1, "memory_bytes": 1}, "offers": [{"method": "sleep"}]}
    assert served.http.post("/api/slave/login", json={**login, **machine}).status_code == 200
    assert browser.post("/newslave", data={"name": "No Name!"}).status_code == 422
    assert browser.post("/slaves", data={"slave": "ws07", "verb": "pause"}).status_code == 303
    assert [slave.state for slave in admin.slaves()] == ["paused"]
    assert "Retire slave ws07?" in text(browser.post("/slaves", data={"slave": "ws07", "verb": "retire"}))
    assert len(admin.slaves()) == 1
    browser.post("/slaves", data={"slave": "ws07", "verb": "retire", "sure": "true"})
    assert admin.slaves() == []


def test_who_logged_out_is_out(browser: httpx.Client) -> None:
    token = browser.cookies["distren"]
    assert browser.post("/logout").headers["location"] == "/login"
    assert browser.get("/", headers={"cookie": f"distren={token}"}).status_code == 303


def test_nothing_is_there_in_words_too(browser: httpx.Client) -> None:
    page = browser.get("/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert browser.get("/api/nowhere").json()["code"] == "not_found"
    assert browser.get("/jobs/77").status_code == 404
    assert browser.get("/jobs?after=nonsense").status_code == 422


def test_a_map_of_a_hundred_thousand_frames_is_a_picture_that_leads_to_each(
    browser: httpx.Client, admin: FarmClient, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1-100000").job
    page = browser.get(f"/jobs/{job}")
    assert len(page.content) < 20_000
    drawn = browser.get(re.findall(r'<img id="map-picture"[^>]* src="([^"]+)"', page.text)[0])
    assert drawn.headers["content-type"] == "image/png"
    assert len(drawn.content) < 5_000
    # As browsers say where a picture was clicked: the 3rd row, the 8th frame of 500.
    assert browser.get(f"/jobs/{job}/map?15,5").headers["location"] == f"/jobs/{job}/1008"
    assert browser.get(f"/jobs/{job}/map?nonsense").headers["location"] == f"/jobs/{job}/1"
    assert browser.get(f"/jobs/{job + 1}/map.png").status_code == 404


def test_a_frame_without_a_picture_shows_none(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1-3").job
    render(slave, 3, tar_of(output_film_mp4=b"film"))
    for address in ("/", "/jobs", f"/jobs/{job}", f"/jobs/{job}/1"):
        assert "thumbnail" not in browser.get(address).text
    assert "film.mp4" in text(browser.get(f"/jobs/{job}/1"))


def test_a_job_is_seen_from_all_its_sides(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    first = queued(admin, tmp_path, frames="1-2").job
    assert "Nothing was rendered yet" in text(browser.get(f"/jobs/{first}/timeline"))
    assert "No pictures yet" in text(browser.get(f"/jobs/{first}/play"))
    render(slave, 2)
    second = queued(admin, tmp_path, name="film", depends=[{"on": str(first)}]).job
    assert 'data-frames="1-2"' in browser.get(f"/jobs/{first}/play").text
    assert "ws01: 2 frames" in browser.get(f"/jobs/{first}/timeline").text
    settings = text(browser.get(f"/jobs/{second}/settings"))
    assert f"{first} nap done" in settings
    assert f"waits for {first}" in settings


def test_a_slaves_page_tells_of_its_machine_and_its_past(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path).job
    render(slave, 3)
    shown = text(browser.get("/slaves/ws01"))
    assert "2 cores" in shown
    assert "3 won" in shown
    assert f"{job}/3 nap" in shown
    assert browser.get("/slaves/nobody").status_code == 404


def test_statistics_count_what_was_rendered_and_a_spreadsheet_runs_none_of_it(
    browser: httpx.Client, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    queued(admin, tmp_path, project='=HYPERLINK("http://evil.example")')
    queued(admin, tmp_path, project="film", frames="1-2")
    render(slave, 5)
    assert "3 frames 6.0 s" in text(browser.get("/statistics?by=project"))
    assert browser.get("/statistics.csv?by=project").text.splitlines()[1].startswith("\"'=HYPERLINK")
    rows = {by: browser.get(f"/statistics.csv?by={by}").text.splitlines()[1] for by in ("user", "slave", "method")}
    assert rows == {"user": "ada,2,5,10.0", "slave": "ws01,2,5,10.0", "method": "sleep,2,5,10.0"}
    assert browser.get("/statistics?by=nonsense").status_code == 422


def test_settings_are_for_admins_and_hide_secrets(served: Served, browser: httpx.Client, admin: FarmClient) -> None:
    shown = text(browser.get("/settings"))
    assert "heartbeat_seconds" in shown
    assert "command line" in shown
    served.invited(admin, "bea")
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as hers:
        hers.post("/login", data={"name": "bea", "passphrase": PASSPHRASE})
        assert hers.get("/settings").status_code == 403
        assert "/settings" not in hers.get("/").text


def test_a_login_is_revoked_from_ones_own_page_only(served: Served, browser: httpx.Client, admin: FarmClient) -> None:
    def logins(of: httpx.Client) -> list[str]:
        return re.findall(r"/me/logins/(\w+)/revoke", of.get("/me").text)

    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as lost:
        before = set(logins(browser))
        log_in(lost)
        (fresh,) = set(logins(browser)) - before
        assert lost.get("/me").status_code == 200
        served.invited(admin, "bea")
        with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as hers:
            hers.post("/login", data={"name": "bea", "passphrase": PASSPHRASE})
            assert hers.post(f"/me/logins/{fresh}/revoke").status_code == 404
        assert lost.get("/me").status_code == 200
        assert browser.post(f"/me/logins/{fresh}/revoke").status_code == 303
        assert lost.get("/me").status_code == 303
    assert browser.post("/me/logins/zz/revoke").status_code == 404


def test_notifications_are_asked_for_tried_and_removed_on_ones_own_page(browser: httpx.Client) -> None:
    form = {"way": "slack", "address": "https://hooks.example.org/<b>", "about": ["failed", "attention"]}
    assert browser.post("/me/notifications", data=form).status_code == 303
    shown = browser.get("/me").text
    assert "https://hooks.example.org/&lt;b&gt;" in shown
    assert "sends no e-mail" in shown
    assert browser.post("/me/notifications/1/test").status_code == 303
    assert browser.post("/me/notifications/1/remove").status_code == 303
    assert "hooks.example.org" not in browser.get("/me").text
    assert browser.post("/me/notifications", data={**form, "about": []}).status_code == 422
    assert browser.post("/me/notifications/1/dance").status_code == 404


def test_admins_invite_help_and_keep_out_users_and_it_is_on_record(
    served: Served, browser: httpx.Client, admin: FarmClient
) -> None:
    code = re.findall(r"<pre>(.*?)</pre>", browser.post("/users").text)[0]
    served.register("bea", code)
    assert "bea" in text(browser.get("/users"))
    assert "For bea" in text(browser.post("/users/bea/recover"))
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as hers:
        hers.post("/login", data={"name": "bea", "passphrase": PASSPHRASE})
        assert hers.get("/users").status_code == 403
        assert hers.post("/users/ada/recover").status_code == 403
        assert "Keep bea out?" in text(browser.post("/users/bea/disable"))
        assert hers.get("/me").status_code == 200
        browser.post("/users/bea/disable", data={"sure": "true"})
        assert hers.get("/me").status_code == 303
    shown = text(browser.get("/users"))
    assert "kept out" in shown
    assert "disable user" in shown
    assert browser.post("/users/ada/disable", data={"sure": "true"}).status_code == 409


def test_ones_own_page_shows_points_and_takes_a_new_passphrase(
    served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    bea = served.invited(admin, "bea")
    # So many processors that what it says it has worked is believed, however quick the test is.
    hers = served.slave(bea, "ws09", hardware={"cores": 4096, "memory_bytes": 10**9})
    queued(admin, tmp_path, frames="1")
    render(hers, 1)
    with httpx.Client(base_url=served.url, headers=own(served), trust_env=False) as browser:
        browser.post("/login", data={"name": "bea", "passphrase": PASSPHRASE})
        shown = text(browser.get("/me"))
        assert "earned distren://home/1/1 by ws09" in shown
        had = PointCalls(bea).points().earned_milli
        assert had > 0
        assert f"{points(had)} in all" in text(browser.get("/me/points"))
        assert f"1 bea {points(had)} points 1 slave 1 frame" in text(browser.get("/statistics/leaders"))
        assert browser.get("/statistics/leaders.csv").text.splitlines()[1] == f"bea,{points(had)},1,1"
        assert browser.post("/me/friends", data={"name": "ada"}).status_code == 303
        assert "Remove" in text(browser.get("/me"))
        assert browser.post("/me/friends", data={"name": "nobody"}).status_code == 404
        assert browser.post("/me/friends/ada/remove").status_code == 303
        assert "/me/friends/ada/remove" not in browser.get("/me").text
        assert (
            browser.post("/me/passphrase", data={"old": "not this one", "new": "a much longer one"}).status_code == 401
        )
        assert browser.post("/me/passphrase", data={"old": PASSPHRASE, "new": "x"}).status_code == 422
        assert browser.post("/me/passphrase", data={"old": PASSPHRASE, "new": "a much longer one"}).status_code == 303
        assert browser.get("/me").status_code == 200
        assert browser.post("/login", data={"name": "bea", "passphrase": PASSPHRASE}).status_code == 401


def test_many_slaves_come_a_page_at_a_time(browser: httpx.Client, admin: FarmClient) -> None:
    for number in range(43):
        admin.make_slave_key(f"ws{number:03}")
    first = browser.get("/slaves").text
    assert 'id="ws039"' in first
    assert 'id="ws040"' not in first
    second = browser.get("/slaves?after=ws039").text
    assert 'id="ws042"' in second
    assert "More slaves" not in second
    some = browser.get("/slaves?owner=ada&state=offline").text
    assert re.findall(r"slaves.([^\"]*)\">More slaves", some) == ["owner=ada&amp;state=offline&amp;after=ws039"]
    assert "No such slaves" in text(browser.get("/slaves?owner=nobody"))
    assert "No such slaves" in text(browser.get("/slaves?state=rendering"))
    assert "and 31 others" in text(browser.get("/"))


@pytest.mark.parametrize("address", ["/addon", "/docs"])
def test_pages_that_anyone_may_read_have_the_menu_of_whoever_reads_them(
    served: Served, browser: httpx.Client, address: str
) -> None:
    assert "Log out" in text(browser.get(address))
    stranger = served.http.get(address, headers={"accept": "text/html", "cookie": "distren=void"})
    assert "Log in" in text(stranger)
    assert "Log out" not in stranger.text
