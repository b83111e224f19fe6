from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.cli.draft import Draft, LocalFile
from farm.cli.sending import Sending
from farm.cli.unfinished import Unfinished
from farm.client.farmclient import FarmClient
from farm.client.patience import OnBytes
from farm.protocol.jobs import JobView, Receiving, Requirement, Submission
from farm.words.errors import DistrenError, HashMismatch, NotFound, Unavailable
from farm.words.states import JobState
from tests.cutting import cutting
from tests.serving import Served, serving


class Breaking(FarmClient):
    """A client whose second file breaks off."""

    def __init__(self, url: str, token: str, error: BaseException) -> None:
        super().__init__(url, token)
        self._error = error
        self._sent = 0

    def put_blob(self, path: Path, sha256: str, size: int, on_bytes: OnBytes = lambda _: None) -> None:
        self._sent += 1
        if self._sent == 2:
            raise self._error
        super().put_blob(path, sha256, size, on_bytes)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data") as served:
        yield served


@pytest.fixture
def ada(served: Served) -> FarmClient:
    return served.admin()


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    files = []
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text(name * 100)
        files.append(LocalFile(name, tmp_path / name))
    return Draft(Requirement(method="sleep"), {}, "1-3", source="a.txt", files=files, values={"name": "shot"})


def sending(client: FarmClient, draft: Draft, notes: Path, *, quiet: bool = True) -> Sending:
    made = Sending(client, draft, quiet=quiet, parallel=1, unfinished=Unfinished(client, notes / "notes.json"))
    made.check()
    return made


class Deaf(FarmClient):
    """A client that breaks off right after the server was asked to make a job; maybe it makes it a moment later."""

    def __init__(self, url: str, token: str, error: BaseException, *, late: bool = False) -> None:
        super().__init__(url, token)
        self._error, self._late = error, late
        self._left: list[Submission] = []

    def submit(self, submission: Submission) -> Receiving:
        if self._late:
            self._left.append(submission)
        else:
            super().submit(submission)
        raise self._error

    def job_of_key(self, key: str) -> JobView:
        try:
            return super().job_of_key(key)
        except NotFound:
            for submission in self._left:
                super().submit(submission)
            raise


def breaking(ada: FarmClient, error: BaseException) -> FarmClient:
    token = ada._http.headers["Authorization"].removeprefix("Bearer ")
    return Breaking(ada.server, token, error)


def deaf(ada: FarmClient, error: BaseException, *, late: bool = False) -> FarmClient:
    token = ada._http.headers["Authorization"].removeprefix("Bearer ")
    return Deaf(ada.server, token, error, late=late)


def states(client: FarmClient) -> list[JobState]:
    return [job.state for job in client.jobs().jobs]


def test_after_ctrl_c_the_same_command_goes_on_with_its_job(
    ada: FarmClient, draft: Draft, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with breaking(ada, KeyboardInterrupt()) as client, pytest.raises(KeyboardInterrupt):
        sending(client, draft, tmp_path).send()
    assert states(ada) == [JobState.RECEIVING]
    assert "the same command goes on" in capsys.readouterr().err
    job = sending(ada, draft, tmp_path).send()
    assert job.state == JobState.QUEUED
    assert states(ada) == [JobState.QUEUED]


def test_an_upload_that_breaks_off_goes_on_and_says_for_how_long_that_is_tried(
    ada: FarmClient, draft: Draft, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.txt").write_bytes(os.urandom(3_000_000))
    token = ada._http.headers["Authorization"].removeprefix("Bearer ")
    with cutting(ada.server) as relay, FarmClient(relay.url, token) as client:
        made = sending(client, draft, tmp_path, quiet=False)
        relay.cuts = [("up", 1_000_000)]
        assert made.send().state == JobState.QUEUED
        assert relay.cuts == []
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("Trying again, for 2 min 00 s more if nothing gets through.") == 1, said
    assert f"The connection to {relay.url} broke" in said


@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_just_while_the_server_makes_the_job_leaves_no_half_job(
    ada: FarmClient, draft: Draft, tmp_path: Path, late: bool
) -> None:
    with deaf(ada, KeyboardInterrupt(), late=late) as client, pytest.raises(KeyboardInterrupt):
        sending(client, draft, tmp_path).send()
    assert states(ada) == [JobState.CANCELED]
    assert sending(ada, draft, tmp_path).send().state == JobState.QUEUED


def test_a_job_whose_number_was_never_heard_is_gone_on_with(
    ada: FarmClient, draft: Draft, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with deaf(ada, Unavailable("The server is away.")) as client, pytest.raises(Unavailable):
        sending(client, draft, tmp_path).send()
    assert states(ada) == [JobState.RECEIVING]
    assert "the same command goes on with it" in " ".join(capsys.readouterr().err.split())
    assert sending(ada, draft, tmp_path).send().state == JobState.QUEUED
    assert states(ada) == [JobState.QUEUED]


def test_what_went_through_is_submitted_anew_the_next_time(ada: FarmClient, draft: Draft, tmp_path: Path) -> None:
    first, second = (sending(ada, draft, tmp_path).send() for _ in range(2))
    assert first.job != second.job


def test_a_job_that_was_canceled_meanwhile_is_not_gone_on_with(ada: FarmClient, draft: Draft, tmp_path: Path) -> None:
    with breaking(ada, KeyboardInterrupt()) as client, pytest.raises(KeyboardInterrupt):
        sending(client, draft, tmp_path).send()
    ada.command(ada.jobs().jobs[0].job, "cancel")
    assert sending(ada, draft, tmp_path).send().state == JobState.QUEUED
    assert sorted(states(ada)) == [JobState.CANCELED, JobState.QUEUED]


def test_a_file_that_changes_while_it_is_sent_leaves_no_waiting_job(
    ada: FarmClient, draft: Draft, tmp_path: Path
) -> None:
    with breaking(ada, HashMismatch("b.txt changed.")) as client, pytest.raises(DistrenError):
        sending(client, draft, tmp_path).send()
    assert states(ada) == [JobState.CANCELED]
