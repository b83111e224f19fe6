"""A job's life over real HTTP: submitted, sent, leased, rendered by a pretend slave, fetched."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import FileEntry, JobChange, JobCommand, JobView, Requirement, Submission
from farm.protocol.slaves import JobSheet, ResultStaged
from farm.words.errors import (
    BadFrameRange,
    BadSetting,
    FileNotHere,
    Forbidden,
    FrameNotFound,
    HashMismatch,
    JobNotFound,
    Malformed,
    NeedsConfirmation,
    WrongState,
    from_problem,
)
from farm.words.states import FrameState, JobState, PauseReason
from tests.jobs.pretend import tar_of
from tests.serving import Served, SlaveCaller, serving

PICTURE = bytes(range(256)) * 20
RESULT = tar_of(output_0001_png=PICTURE, thumbnail=b"webp", log="gerendert: größer".encode())


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sleeping(files: dict[str, bytes] | None = None, **more: Any) -> Submission:
    entries = [FileEntry(path=path, sha256=sha(data), size=len(data)) for path, data in (files or {}).items()]
    values = {"name": "nap", "requires": Requirement(method="sleep"), "frames": "1-3", "files": entries, **more}
    return Submission.model_validate(values)


def send(client: FarmClient, folder: Path, data: bytes) -> None:
    path = folder / sha(data)
    path.write_bytes(data)
    client.put_blob(path, sha(data), len(data))


def queued(client: FarmClient, folder: Path, files: dict[str, bytes] | None = None, **more: Any) -> JobView:
    made = client.submit(sleeping(files, **more))
    for data in {sha(d): d for d in (files or {}).values()}.values():
        if sha(data) in made.missing:
            send(client, folder, data)
    return client.queue(made.job)


@pytest.fixture
def slave(served: Served, admin: FarmClient) -> Iterator[SlaveCaller]:
    caller = served.slave(admin)
    yield caller
    caller.http.close()


def leased(slave: SlaveCaller) -> tuple[int, list[tuple[int, int]]]:
    """Get a lease; return its job, and attempt and frame of each of its frames."""
    (lease,) = slave.orders(want=1).leases
    return lease.job, [(frame.attempt, frame.number) for frame in lease.frames]


def staged(slave: SlaveCaller, attempt: int, tar: bytes = RESULT, **more: Any) -> httpx.Response:
    return slave.http.put(f"/api/slave/results/{attempt}", content=tar, **more)


def render(slave: SlaveCaller, count: int, tar: bytes = RESULT) -> None:
    """Render so many frames, with the results sent before their report."""
    done = 0
    while done < count:
        orders = slave.orders(want=1, hold=5)
        attempts = [frame.attempt for lease in orders.leases for frame in lease.frames]
        for attempt in attempts:
            assert staged(slave, attempt, tar).status_code == 200
        finished = [{"attempt": a, "sha256": sha(tar), "seconds": 2.0, "cpu_seconds": 4.0} for a in attempts]
        verdicts = slave.orders(finished=finished).verdicts
        assert {verdict.verdict for verdict in verdicts} == {"accepted"}
        done += len(attempts)


def refusal(answer: httpx.Response) -> Exception:
    assert answer.is_error, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return from_problem(answer.json(), answer.status_code)


def test_a_job_from_submission_to_pictures(
    served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    files = {"shots/nap.blend": b"scene", "tex/a.png": b"texture", "tex/b.png": b"texture"}
    made = admin.submit(sleeping(files, source="shots/nap.blend", project="film", comment="first"))
    assert (made.job, made.address, len(made.missing)) == (1, "distren://home/1", 2)
    waiting = admin.job(1)
    assert (waiting.state, waiting.missing_bytes, waiting.total_bytes) == (JobState.RECEIVING, 12, 19)
    for data in (b"scene", b"texture"):
        send(admin, tmp_path, data)
    view = admin.queue(1)
    assert (view.state, view.counts.ready, view.counts.total, view.missing_bytes) == (JobState.QUEUED, 3, 3, 0)
    assert (view.owner, view.project, view.frames, view.source) == ("ada", "film", "1-3", "shots/nap.blend")

    render(slave, 3)
    view = admin.job(1)
    assert (view.state, view.counts.done, view.seconds_per_frame) == (JobState.DONE, 3, 2.0)
    page = admin.output(1)
    assert [(file.frame, file.name, file.size) for file in page.files] == [(n, "0001.png", 5120) for n in (1, 2, 3)]
    admin.fetch_file(1, page.files[0], tmp_path / "got.png")
    assert (tmp_path / "got.png").read_bytes() == PICTURE
    assert admin.thumbnail(1, 2) == b"webp"
    assert admin.log(1, 3) == "gerendert: größer"
    frame = admin.frame(1, 2)
    assert (frame.state, frame.seconds, frame.address) == (FrameState.DONE, 2.0, "distren://home/1/2")
    (attempt,) = frame.attempts
    assert (attempt.slave, attempt.state, attempt.cpu_seconds, attempt.has_log) == ("ws01", "won", 4.0, True)


def test_what_a_slave_gets_it_gets_through_its_lease_only(
    served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    first = queued(admin, tmp_path, {"a.blend": b"scene", "ü/tex.png": b"texture"}, settings={"seconds": 0})
    other = admin.submit(sleeping({"b.blend": b"other"})).job
    assert isinstance(refusal(slave.http.get("/api/slave/jobs/1")), JobNotFound)
    texture = f"/api/slave/blobs/{sha(b'texture')}"
    assert isinstance(refusal(slave.http.get(texture, params={"job": 1})), JobNotFound)

    job, attempts = leased(slave)
    assert job == first.job
    sheet = JobSheet.model_validate_json(slave.http.get("/api/slave/jobs/1").content)
    assert [file.path for file in sheet.files] == ["a.blend", "ü/tex.png"]
    assert (sheet.method, sheet.settings["scripts"], sheet.settings["seconds"]) == ("sleep", True, 0)
    got = slave.http.get(texture, params={"job": 1}, headers={"Range": "bytes=3-"})
    assert (got.status_code, got.content, got.headers["etag"]) == (206, b"ture", f'"{sha(b"texture")}"')
    assert isinstance(refusal(slave.http.get(f"/api/slave/blobs/{sha(b'other')}", params={"job": 1})), FileNotHere)
    assert isinstance(refusal(slave.http.get(texture, params={"job": other})), JobNotFound)

    slave.orders(returned=[attempt for attempt, _ in attempts])
    assert isinstance(refusal(slave.http.get(texture, params={"job": 1})), JobNotFound)


def test_results_that_lie_are_refused(admin: FarmClient, slave: SlaveCaller, tmp_path: Path) -> None:
    queued(admin, tmp_path, frames="1")
    _, ((attempt, _),) = leased(slave)
    assert isinstance(refusal(staged(slave, attempt, params={"sha256": sha(b"x")})), HashMismatch)
    assert refusal(staged(slave, attempt, RESULT[:700])).code == "unsafe_package"  # type: ignore[attr-defined]
    assert refusal(staged(slave, 999)).code == "not_found"  # type: ignore[attr-defined]
    first, second = staged(slave, attempt, params={"sha256": sha(RESULT)}), staged(slave, attempt)
    assert first.content == second.content
    told = ResultStaged.model_validate_json(first.content)
    assert (told.attempt, told.sha256, told.size) == (attempt, sha(RESULT), len(RESULT))
    assert admin.output(1).files == [], "what is not reported does not count"
    (verdict,) = slave.orders(finished=[{"attempt": attempt, "sha256": sha(RESULT), "seconds": 1}]).verdicts
    assert verdict.verdict == "accepted"
    assert len(admin.output(1).files) == 1


def test_a_small_result_rides_inside_the_report(admin: FarmClient, slave: SlaveCaller, tmp_path: Path) -> None:
    queued(admin, tmp_path, frames="1")
    _, ((attempt, _),) = leased(slave)
    inline = base64.b64encode(RESULT).decode()
    finished = {"attempt": attempt, "sha256": sha(RESULT), "seconds": 1, "inline": inline}
    assert [v.verdict for v in slave.orders(finished=[finished]).verdicts] == ["accepted"]
    assert admin.job(1).state == JobState.DONE
    assert admin.output(1).files[0].sha256 == sha(PICTURE)


def test_a_canceled_jobs_results_are_refused(admin: FarmClient, slave: SlaveCaller, tmp_path: Path) -> None:
    queued(admin, tmp_path)
    _, ((attempt, _), *_) = leased(slave)
    assert admin.command(1, "cancel").state == JobState.CANCELED
    assert isinstance(refusal(staged(slave, attempt)), WrongState)


def test_an_admin_finds_jobs_as_folders(served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path) -> None:
    queued(admin, tmp_path, {"my shot.blend": b"scene"}, source="my shot.blend", frames="1")
    render(slave, 1)
    stor = tmp_path / "data" / "storage" / "stor"
    wait_for(lambda: (stor / "job1/output/0001.png").exists())
    assert (stor / "job1/job1.blend").read_bytes() == b"scene"
    assert (stor / "job1/output/0001.png").read_bytes() == PICTURE
    admin.delete(1)
    wait_for(lambda: not (stor / "job1").exists())


def wait_for(true: Any) -> None:
    for _ in range(100):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not happen within five seconds")


# --- bytes ---


# --- who may what ---


def test_in_a_studio_changing_anothers_job_is_asked_once(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    bob = served.invited(admin, "bob")
    queued(admin, tmp_path)
    assert bob.job(1).owner == "ada"
    with pytest.raises(NeedsConfirmation) as error:
        bob.command(1, "pause")
    assert error.value.facts["owner"] == "ada"
    paused = bob.command(1, "pause", JobCommand(confirmed=True))
    assert (paused.state, paused.pause_reason) == (JobState.PAUSED, PauseReason.USER)
    with pytest.raises(NeedsConfirmation):
        bob.change(1, JobChange(priority=90))
    with pytest.raises(NeedsConfirmation):
        bob.delete(1)
    with pytest.raises(Forbidden):
        bob.queue(1)
    assert admin.command(1, "resume").state == JobState.QUEUED


def test_strangers_see_and_touch_only_their_own(tmp_path: Path) -> None:
    with serving(tmp_path / "data", profile="open") as served, served.admin() as admin:
        bob, eve = served.invited(admin, "bob"), served.invited(admin, "eve")
        queued(bob, tmp_path)
        assert [job.owner for job in eve.jobs().jobs] == []
        assert [job.owner for job in bob.jobs().jobs] == ["bob"]
        assert [job.owner for job in admin.jobs().jobs] == ["bob"]
        for action in (
            lambda: eve.job(1),
            lambda: eve.command(1, "pause", JobCommand(confirmed=True)),
            lambda: eve.change(1, JobChange(priority=1, confirmed=True)),
            lambda: eve.delete(1, confirmed=True),
            lambda: eve.frames(1),
            lambda: eve.frame(1, 1),
            lambda: eve.output(1),
            lambda: eve.log(1, 1),
            lambda: eve.thumbnail(1, 1),
            lambda: eve.queue(1),
        ):
            with pytest.raises(JobNotFound):
                action()
        assert admin.command(1, "pause").state == JobState.PAUSED
        for client in (bob, eve):
            client.close()


# --- control and lists ---


def test_a_job_can_be_changed_while_it_waits(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    served.slave(admin).http.close()
    queued(admin, tmp_path)
    change = JobChange(priority=90, add_frames="3-5", project="film", max_slaves=2, remove_slaves=["ws01"])
    view = admin.change(1, change)
    assert (view.priority, view.frames, view.counts.ready, view.project) == (90, "1-5", 5, "film")
    assert (view.max_slaves, view.not_slaves) == (2, ["ws01"])
    view = admin.change(1, JobChange(max_slaves=0, add_slaves=["ws01"]))
    assert (view.max_slaves, view.slaves, view.not_slaves) == (None, [], [])
    with pytest.raises(BadFrameRange):
        admin.change(1, JobChange(add_frames="5-1"))
    assert refusal_of(lambda: admin.change(1, JobChange(add_slaves=["ghost"]))).endswith("no slave ghost.")


def refusal_of(action: Any) -> str:
    with pytest.raises(Exception, match=r".") as error:
        action()
    return str(error.value)


def test_a_waiting_job_says_why(served: Served, admin: FarmClient, tmp_path: Path) -> None:
    view = queued(admin, tmp_path)
    assert view.waiting, "nobody is there to render it"
    assert admin.frames(1).frames[0].waiting
    assert admin.command(1, "pause").waiting


def test_deleted_jobs_are_gone_and_their_numbers_stay_used(admin: FarmClient, tmp_path: Path) -> None:
    queued(admin, tmp_path)
    admin.delete(1)
    with pytest.raises(JobNotFound):
        admin.job(1)
    assert admin.jobs().jobs == []
    assert queued(admin, tmp_path).job == 2


def test_retry_renders_named_frames_again(admin: FarmClient, slave: SlaveCaller, tmp_path: Path) -> None:
    queued(admin, tmp_path)
    render(slave, 3)
    view = admin.command(1, "retry", JobCommand(frames="2"))
    assert (view.counts.done, view.counts.ready) == (2, 1)
    assert [file.frame for file in admin.output(1).files] == [1, 3]
    render(slave, 1)
    assert admin.job(1).state == JobState.DONE
    assert len(admin.frame(1, 2).attempts) == 2


def test_lists_are_filtered_and_go_on_where_they_ended(admin: FarmClient, tmp_path: Path) -> None:
    for number in range(1, 6):
        made = admin.submit(sleeping(name=f"Shot {number} 100%", project="film" if number % 2 else ""))
        if number > 3:
            admin.queue(made.job)
    first = admin.jobs(limit=2)
    assert ([job.job for job in first.jobs], first.next) == ([5, 4], 4)
    rest = admin.jobs(after=first.next)
    assert ([job.job for job in rest.jobs], rest.next) == ([3, 2, 1], None)
    assert [job.job for job in admin.jobs(state="queued").jobs] == [5, 4]
    assert [job.job for job in admin.jobs(state="queued,receiving", project="film").jobs] == [5, 3, 1]
    assert [job.job for job in admin.jobs(search="shot 3").jobs] == [3]
    assert admin.jobs(search="10_%").jobs == []
    assert len(admin.jobs(owner="ada").jobs) == 5
    assert admin.jobs(owner="nobody").jobs == []
    with pytest.raises(Malformed, match="there is no state “asleep”"):
        admin.jobs(state="asleep")


def test_frames_are_listed_in_pages(admin: FarmClient, slave: SlaveCaller, tmp_path: Path) -> None:
    queued(admin, tmp_path, frames="10-100x10")
    first = admin.frames(1, limit=4)
    assert ([frame.frame for frame in first.frames], first.next) == ([10, 20, 30, 40], 40)
    assert [frame.frame for frame in admin.frames(1, after=90).frames] == [100]
    _, ((_, number), *_) = leased(slave)
    (running,) = admin.frames(1, state="leased", limit=1).frames
    assert running.slave == "ws01"
    assert number in {10, 60, 100}
    assert admin.job(1).state == JobState.RENDERING
    with pytest.raises(FrameNotFound, match="Job 1 has no frame 11"):
        admin.frame(1, 11)
    with pytest.raises(FileNotHere):
        admin.log(1, 10)


def test_bad_submissions_are_refused_with_the_fields_name(admin: FarmClient) -> None:
    for error, more in (
        (BadFrameRange, {"frames": "9-1"}),
        (BadSetting, {"settings": {"seconds": "soon"}}),
        (Malformed, {"requires": Requirement(method="maya")}),
        (Malformed, {"source": "missing.blend"}),
    ):
        with pytest.raises(error, match=f"{next(iter(more))}"):
            admin.submit(sleeping(**more))
    assert admin.jobs().jobs == []
    report = admin.check(sleeping(frames="9-1", settings={"seconds": "soon"}))
    assert len(report.problems) == 2
    assert admin.check(sleeping({"a": b"12345"})).missing_bytes == 5


@pytest.mark.parametrize("number", [2**62, 2**64, 10**30, -1])
def test_absurd_numbers_are_no_fault_of_the_server(
    served: Served, admin: FarmClient, slave: SlaveCaller, number: int
) -> None:
    token = {"Authorization": admin._http.headers["Authorization"]}
    for path in ("{}", "{}/frames", "1/frames/{}", "{}/output", "1/output/{}/x", "1/frames/{}/log", "?after={}"):
        for at in (f"/api/jobs/{path.format(number)}", f"/api/jobs/{path.format(number)}?after={number}"):
            assert served.http.get(at.replace("/?", "?"), headers=token).status_code in {200, 404, 422}
    assert slave.http.get(f"/api/slave/jobs/{number}").status_code in {404, 422}
    assert slave.http.put(f"/api/slave/results/{number}", content=b"").status_code in {404, 422}
    assert slave.http.get(f"/api/slave/blobs/{sha(b'')}", params={"job": number}).status_code in {404, 422}
    with pytest.raises(Malformed):
        admin.submit(sleeping().model_copy(update={"max_slaves": number or -1}))
