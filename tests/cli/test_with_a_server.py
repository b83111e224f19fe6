"""The command against a real server and a real slave, as processes."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.conftest import PASSPHRASE, Farm, Run, register


def bearer(farm: Farm) -> dict[str, str]:
    return {"Authorization": f"Bearer {farm.admin_token}"}


def _files_asked_for(farm: Farm) -> list[str]:
    """Return what the server counted of requests for single files."""
    told = httpx.get(f"{farm.url}/metrics", headers=bearer(farm)).text
    return re.findall(r'distren_request_seconds_count\{.*route="/api/jobs/\{job\}/output/.*', told)


def _sleep(run: Run, *words: object) -> dict[str, object]:
    result = run("submit", "--method", "sleep", "--set", "seconds=0.01", "--json", *words)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_register_logs_in_and_keeps_the_token_private(ada: Run, home: Path, farm: Farm) -> None:
    kept = home / "config" / "distren" / "tokens.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    who = json.loads(ada("whoami", "--json").stdout)
    assert who["url"] == farm.url
    assert who["user"]["role"] == "user"


def test_a_setup_code_works_once(run: Run, farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTREN_PASSPHRASE", PASSPHRASE)
    result = run("register", "mallory", "--invite", farm.first_code, "--server", farm.url)
    assert result.exit_code == 4
    assert "invite" in result.stderr


def test_a_wrong_passphrase_is_exit_code_4_and_keeps_nothing(run: Run, home: Path, farm: Farm) -> None:
    result = run("login", "admin", "--passphrase-stdin", "--server", farm.url, input="not this one\n")
    assert result.exit_code == 4
    assert not (home / "config" / "distren" / "tokens.json").exists()


def test_the_passphrase_may_come_from_standard_input(run: Run, farm: Farm) -> None:
    result = run("login", "admin", "--passphrase-stdin", "--server", farm.url, input=f"{PASSPHRASE}\n")
    assert (result.exit_code, "as admin (admin)" in result.stdout) == (0, True)


def test_logout_revokes_the_token(ada: Run, home: Path, farm: Farm) -> None:
    token = next(iter(json.loads((home / "config/distren/tokens.json").read_text())["servers"].values()))["token"]
    assert ada("logout").exit_code == 0
    assert ada("whoami").exit_code == 8
    assert ada("whoami", "--server", farm.url, env={"DISTREN_TOKEN": token}).exit_code == 4


def test_a_job_goes_from_submission_to_files_on_disk(ada: Run, tmp_path: Path) -> None:
    result = ada(
        "submit", "--method", "sleep", "--frames", "1-12x3,20", "--set", "seconds=0.01", "--fetch", tmp_path / "out",
        "--project", "film", "--comment", "first",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_with_json_a_waited_job_is_one_line_that_says_it_is_done(ada: Run) -> None:
    job = _sleep(ada, "--frames", "1-3", "--wait", "--name", "three")
    assert (job["state"], job["name"], job["frames"]) == ("done", "three", "1-3")


def test_fetch_brings_only_what_is_missing_and_overwrites_nothing(ada: Run, tmp_path: Path) -> None:
    job = _sleep(ada, "--frames", "1-4", "--wait")["job"]
    out = tmp_path / "out"
    first = json.loads(ada("fetch", job, out, "--json", "--frames", "1-2").stdout)
    assert (len(first["fetched"]), len(first["here"])) == (2, 0)
    mine = next(out.iterdir())
    mine.write_bytes(b"mine")
    again = ada("fetch", job, out, "--json")
    answer = json.loads(again.stdout)
    assert (len(answer["fetched"]), len(answer["here"]), len(answer["differing"])) == (2, 1, 1)
    assert (again.exit_code, mine.read_bytes()) == (1, b"mine")
    assert ada("fetch", job, out, "--overwrite").exit_code == 0
    assert mine.read_bytes() != b"mine"


def test_an_update_renders_its_frames_anew_and_former_pictures_stay_at_the_farm_and_at_home(
    ada: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    job = _sleep(ada, "--frames", "1-3", "--fetch", out)["job"]
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    changed = ("--set", "output_bytes=3000", "--frames", "2", "--fetch", out)
    result = ada("submit", "--method", "sleep", "--set", "seconds=0", "--update", job, *changed)
    assert (result.exit_code, f"1 files in {out} differ" in result.stderr) == (1, True), result.output
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
    assert json.loads(ada("show", job, "--json").stdout)["version"] == 2
    kept = json.loads(ada("fetch", job, out, "--keep-former", "--json").stdout)
    name = kept["fetched"][0]["name"]
    assert [Path(path) for path in kept["former"]] == [out / "former" / name]
    assert (out / "former" / name).read_bytes() == first[name]
    assert (out / name).stat().st_size > 3000
    assert ada("fetch", job, tmp_path / "was", "--version", "1").exit_code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "was").iterdir()} == first
    unknown = ada("submit", "--method", "sleep", "--update", job, "--frames", "9")
    assert (unknown.exit_code, f"Job {job} has no frames 9." in unknown.stderr) == (6, True), unknown.output


def test_what_breaks_off_goes_on_and_many_small_files_travel_as_one(ada: Run, tmp_path: Path, farm: Farm) -> None:
    job = _sleep(ada, "--frames", "1-300", "--wait")["job"]
    before = _files_asked_for(farm)
    fetched = json.loads(ada("fetch", job, tmp_path / "out", "--json").stdout)
    assert len(fetched["fetched"]) == len(list((tmp_path / "out").iterdir())) == 300
    assert _files_asked_for(farm) == before, "no file was asked for by itself"
    (tmp_path / "out" / "0007.png").unlink()
    again = json.loads(ada("fetch", job, tmp_path / "out", "--json").stdout)
    assert ([file["frame"] for file in again["fetched"]], len(again["here"])) == ([7], 299)


def test_a_bundle_is_one_tar_of_all_or_of_some_frames_or_of_one(ada: Run, tmp_path: Path) -> None:
    job = _sleep(ada, "--frames", "1-3", "--set", "output_bytes=3000000", "--wait")["job"]
    told = json.loads(ada("fetch", job, "--bundle", tmp_path / "all.tar", "--json").stdout)
    assert told == {"file": str(tmp_path / "all.tar"), "size": (tmp_path / "all.tar").stat().st_size}
    whole = (tmp_path / "all.tar").read_bytes()
    assert ada("fetch", f"{job}/2", "--bundle", tmp_path / "two.tar").exit_code == 0
    for name, names in {"all.tar": ["0001.png", "0002.png", "0003.png"], "two.tar": ["0002.png"]}.items():
        with tarfile.open(tmp_path / name) as tar:
            assert tar.getnames() == names
    assert ada("fetch", job, "--bundle", tmp_path / "all.tar").exit_code == 1
    assert ada("fetch", job, "--bundle", tmp_path / "all.tar", "--overwrite").exit_code == 0
    assert (tmp_path / "all.tar").read_bytes() == whole
    only = json.loads(ada("fetch", f"{job}/3", tmp_path / "out", "--json").stdout)
    assert [file["name"] for file in only["fetched"]] == ["0003.png"]


def test_verbs_take_addresses_and_none_takes_a_frame_for_its_job(ada: Run, farm: Farm) -> None:
    job = _sleep(ada, "--frames", "1-2", "--wait")
    address = job["address"]
    assert json.loads(ada("retry", f"{address}/2", "--json").stdout)["counts"]["done"] >= 1
    assert ada("retry", f"{address}/2", "--frames", "1").exit_code == 2
    assert ada("watch", address).exit_code == 0
    for verb, *more in (["pause"], ["resume"], ["approve"], ["cancel"], ["delete", "--yes"], ["set", "priority=3"]):
        result = ada(verb, f"{address}/2", *more)
        assert result.exit_code == 2, verb
        assert f"Write {address}" in result.stderr
    assert ada("show", f"{address}/2").exit_code == 0
    assert ada("set", address, "comment=found").exit_code == 0
    found = httpx.get(f"{farm.url}/api/addresses", params={"address": f"{address}/2"}, headers=bearer(farm))
    assert found.headers["location"] == f"/api/jobs/{job['job']}/frames/2"
    elsewhere = httpx.get(f"{farm.url}/api/addresses", params={"address": "distren://away/1"}, headers=bearer(farm))
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "not_found")


def test_a_failed_frame_is_named_and_the_exit_code_is_7(ada: Run) -> None:
    result = ada(
        "submit", "--method", "sleep", "--frames", "1-3", "--set", "seconds=0", "--set", "fail_frames=2", "--wait"
    )
    assert result.exit_code == 7, result.output
    number = result.stderr.split("Job ")[1].split()[0]
    assert f"Frame 2 of job {number}" in result.stderr
    shown = json.loads(ada("show", f"{number}/2", "--json").stdout)
    assert (shown["state"], shown["frame"]) == ("failed", 2)
    assert shown["attempts"][0]["message"]


def test_show_says_where_the_time_went(ada: Run) -> None:
    job = _sleep(ada, "--frames", "1-3", "--wait")["job"]
    frame = json.loads(ada("show", f"{job}/2", "--timing", "--json").stdout)
    assert {"submit", "queue", "wait", "render", "check", "report"} <= {span["step"] for span in frame["spans"]}
    drawn = ada("show", f"{job}/2", "--timing").stdout
    assert "render" in drawn
    assert "█" in drawn
    totals = json.loads(ada("show", job, "--timing", "--json").stdout)
    assert totals["frames"] == 3
    table = ada("show", job, "--timing").stdout
    assert "3 finished frames" in table
    assert "last result after" in table


def test_frames_of_one_colour_count_as_done_and_are_named(ada: Run, tmp_path: Path) -> None:
    job = _sleep(ada, "--frames", "1-5", "--set", "flat_frames=2-3,5", "--wait", "--fetch", tmp_path / "out")["job"]
    assert len(list((tmp_path / "out").iterdir())) == 5
    shown = ada("show", job).stdout
    assert "done" in shown
    assert "Of one colour: frames 2-3,5." in shown
    frames = [json.loads(ada("show", f"{job}/{frame}", "--json").stdout)["uniform"] for frame in (1, 2)]
    assert frames == [False, True]


def test_problems_are_listed_and_nothing_is_sent(ada: Run) -> None:
    before = len(json.loads(ada("jobs", "--json").stdout)["jobs"])
    result = ada("submit", "--method", "sleep", "--frames", "1-3", "--set", "seconds=-1", "--set", "colour=red")
    assert result.exit_code == 6, result.output
    assert "seconds" in result.stderr
    assert "colour" in result.stderr
    assert len(json.loads(ada("jobs", "--json").stdout)["jobs"]) == before


def test_a_dry_run_sends_nothing(ada: Run) -> None:
    report = json.loads(ada("submit", "--method", "sleep", "--frames", "1-9", "--dry-run", "--json").stdout)
    assert (report["frames"], report["problems"], report["fitting_slaves"]) == (9, [], ["ws01"])
    assert json.loads(ada("jobs", "--json", "--owner", "nobody").stdout)["jobs"] == []


def test_no_slave_that_fits_stops_a_submission_unless_the_person_wants_to_wait(ada: Run) -> None:
    words = ("submit", "--method", "sleep", "--frames", "1", "--slaves", "ws99")
    refused = ada(*words)
    assert refused.exit_code == 6, refused.output
    waiting = ada(*words, "--anyway", "--json")
    assert waiting.exit_code == 0, waiting.output
    assert ada("cancel", json.loads(waiting.stdout)["job"]).exit_code == 0


def test_set_changes_a_job_while_it_runs(ada: Run) -> None:
    job = _sleep(ada, "--frames", "1-3", "--slaves", "ws99", "--anyway")["job"]
    assert ada("slave-key", "ws03").exit_code == 0
    changes = ["priority=70", "frames+=4-6", "slaves+=ws01", "slaves-=ws03", "max-slaves=5", "project=p", "comment=c"]
    result = ada("set", job, *changes, "--json")
    assert result.exit_code == 0, result.output
    changed = json.loads(result.stdout)
    assert (changed["priority"], changed["max_slaves"], changed["project"]) == (70, 5, "p")
    assert (changed["slaves"], changed["not_slaves"]) == (["ws01", "ws99"], ["ws03"]) or changed["slaves"]
    assert changed["counts"]["ready"] + changed["counts"]["leased"] + changed["counts"]["done"] == 6
    assert ada("watch", job).exit_code == 0


def test_tags_and_pools_say_which_slaves_a_job_gets(boss: Run) -> None:
    refused = boss("submit", "--method", "sleep", "--frames", "1", "--tags", "quick,loud")
    assert refused.exit_code == 6, refused.output
    assert "the tag loud, quick; there are own, quick." in refused.stderr
    assert "ws01 has the tags loud, own, quick." in boss("slaves", "tag", "ws01", "loud").stdout
    assert boss("pools", "set", "heavy", "--slaves", "ws01", "--users", "admin").exit_code == 0
    job = _sleep(boss, "--frames", "1-2", "--tags", "quick,loud", "--pool", "heavy", "--wait")["job"]
    shown = boss("show", job).stdout
    assert "done" in shown
    assert "(tags quick, loud) (pool heavy)" in shown
    assert json.loads(boss("set", job, "tags=", "pool=", "--json").stdout)["requires"]["tags"] == []
    (pool,) = json.loads(boss("pools", "--json").stdout)
    assert (pool["name"], pool["slaves"], pool["users"]) == ("heavy", ["ws01"], ["admin"])
    assert "ws01: tags loud, own, quick; pool heavy" in boss("slaves").stderr
    assert boss("pools", "remove", "heavy").exit_code == 0
    assert boss("slaves", "tag", "ws01", "").exit_code == 0
    assert boss("pools").exit_code == 0


def test_shares_are_shown_and_changed(boss: Run) -> None:
    assert "60 minutes" in boss("shares").stdout
    changed = boss("shares", "--unserved", "5", "--user", "admin", "--weight", "2")
    assert changed.exit_code == 0, changed.output
    assert "admin" in changed.stdout
    assert boss("shares", "--weight", "2").exit_code == 2
    back = json.loads(boss("shares", "--unserved", "10", "--user", "admin", "--weight", "1", "--json").stdout)
    assert (back["unserved_minutes"], back["users"]) == (10, [])


def test_pause_resume_cancel_retry_and_delete(ada: Run) -> None:
    job = _sleep(ada, "--frames", "1-200", "--set", "spread=0", "--priority", "1")["job"]
    states = [json.loads(ada(verb, job, "--json").stdout)["state"] for verb in ("pause", "resume", "cancel")]
    assert states[0] == "paused"
    assert states[1] in ("queued", "rendering")
    assert states[2] == "canceled"
    assert json.loads(ada("retry", job, "--json").stdout)["state"] in ("queued", "rendering")
    assert ada("cancel", job).exit_code == 0
    assert ada("delete", job, "--yes").exit_code == 0
    assert ada("show", job).exit_code == 5


def test_another_users_job_wants_a_yes(ada: Run, farm: Farm) -> None:
    job = _sleep(ada, "--frames", "1-3", "--slaves", "ws99", "--anyway")["job"]
    register(ada, farm)
    refused = ada("cancel", job)
    assert refused.exit_code == 1, refused.output
    assert "--yes" in refused.stderr
    assert ada("cancel", job, "--yes").exit_code == 0


def test_a_frame_without_a_log_says_so(ada: Run) -> None:
    job = _sleep(ada, "--frames", "1", "--wait")["job"]
    result = ada("logs", f"{job}/1")
    assert (result.exit_code, result.stderr.count("\n")) == (5, 1)


def test_what_is_not_there_is_exit_code_5(ada: Run) -> None:
    assert ada("show", 999999).exit_code == 5
    job = _sleep(ada, "--frames", "1", "--wait")["job"]
    assert ada("show", f"{job}/77").exit_code == 5


def test_slaves_and_their_keys(ada: Run) -> None:
    assert [s["name"] for s in json.loads(ada("slaves", "--json").stdout) if s["slots"] == 2] == ["ws01"]
    made = ada("slave-key", "my-box")
    assert made.exit_code == 0
    assert "password = " in made.stdout
    assert ada("slave-key", "ws01").exit_code == 1


def test_the_lists_for_people_name_jobs_and_states(ada: Run) -> None:
    _sleep(ada, "--frames", "1-3", "--wait", "--name", "for people")
    text = ada("jobs").stdout
    assert "for people" in text
    assert "3/3" in text


def test_an_address_names_the_server(ada: Run) -> None:
    job = _sleep(ada, "--frames", "1", "--wait")
    assert ada("show", job["address"]).exit_code == 0
    assert ada("show", "distren://elsewhere/1").exit_code == 8


def test_watch_prints_events_of_a_job_as_json(ada: Run) -> None:
    job = _sleep(ada, "--frames", "1-40")["job"]
    events = [json.loads(text) for text in ada("watch", job, "--json").stdout.splitlines()]
    assert all(event["job"] == job for event in events)


def test_doctor_finds_the_server_and_the_login(ada: Run) -> None:
    found = {f["topic"]: f["grade"] for f in json.loads(ada("doctor", "--json").stdout)}
    assert (found["server"], found["clock"], found["login"]) == ("ok", "ok", "ok")


def test_ctrl_c_ends_watching_with_130_and_one_line(farm: Farm, home: Path) -> None:
    environment = {**os.environ, "DISTREN_TOKEN": farm.admin_token, "DISTREN_SERVER": farm.url}
    argv = [sys.executable, "-m", "farm.cli.main", "watch"]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        end = time.monotonic() + 60
        while not psutil.Process(watching.pid).net_connections() and time.monotonic() < end:
            time.sleep(0.05)
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=60)
    assert (watching.returncode, said) == (130, "\nStopped.\n")
