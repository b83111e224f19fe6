"""What a simulation sees with its own eyes: each thing that must never be is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import OutputFile
from farm.simulator.fetched import Fetched
from farm.simulator.witness import Witness
from farm.words.errors import HashMismatch, Unreachable

ONE, OTHER = "11" * 32, "22" * 32


@pytest.fixture
def witness() -> Iterator[Witness]:
    """A witness of job 7 with two frames, of which one is won by attempt 5."""
    seen = Witness()
    seen.sent(7, 2)
    seen.returned(7, 1, 5, ONE)
    seen.accepted(7, 1, 5)
    return seen


def test_what_is_as_it_should_be_is_no_violation(witness: Witness) -> None:
    witness.returned(7, 1, 6, OTHER)
    witness.returned(7, 2, 8, OTHER)
    witness.accepted(7, 1, 5)
    witness.came_out(7, 1, ONE)
    witness.came_out(7, 2, OTHER)
    witness.home(7, 2)
    assert witness.violations == []
    assert witness.rendered == 2
    assert (witness.contents, witness.won, witness.wanted) == ({}, {}, {})


def test_a_job_number_that_is_given_twice_is_told(witness: Witness) -> None:
    witness.sent(7, 2)
    assert witness.violations == ["Two jobs got number 7."]


def test_a_frame_that_counts_twice_is_told(witness: Witness) -> None:
    witness.accepted(7, 1, 6)
    assert witness.violations == ["Frame 1 of job 7 was accepted of attempt 5, and of attempt 6."]


def test_a_job_that_lacks_a_picture_is_told(witness: Witness) -> None:
    witness.home(7, 1)
    assert witness.violations == ["Job 7 is done, but has 1 pictures for 2 frames."]


def test_a_file_of_another_attempt_than_was_accepted_is_told(witness: Witness) -> None:
    witness.returned(7, 1, 6, OTHER)
    witness.came_out(7, 1, OTHER)
    assert witness.violations == ["The file of frame 1 of job 7 is not the one of attempt 5, which was accepted."]


def test_a_file_that_nobody_sent_is_told(witness: Witness) -> None:
    witness.returned(7, 2, 8, ONE)
    witness.came_out(7, 2, OTHER)
    assert witness.violations == ["The file of frame 2 of job 7 is none that a slave sent."]


class Fetching(FarmClient):
    """Has files that can't be fetched, or only at the second try."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.fetched: list[str] = []

    def fetch_file(self, job: int, file: OutputFile, target: Path, *_: object, **__: object) -> None:
        if self.errors:
            raise self.errors.pop()
        target.write_bytes(b"")
        self.fetched.append(file.name)


def files(count: int) -> list[OutputFile]:
    return [OutputFile(frame=n, name=f"{n}.png", sha256=ONE, size=0) for n in range(count)]


def test_a_file_that_arrives_damaged_is_told(witness: Witness) -> None:
    fetched = Fetched(witness, seed=1)
    fetched.note(Fetching(HashMismatch("It arrived damaged.")), 7, files(1))
    asyncio.run(fetched.compare())
    assert witness.violations == ["The file of frame 0 of job 7 can't be fetched. It arrived damaged."]


def test_a_server_that_is_away_for_a_moment_is_asked_again(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farm.simulator.fetched.time.sleep", lambda _seconds: None)
    client, fetched = Fetching(Unreachable("It is away.")), Fetched(witness, seed=1)
    fetched.note(client, 7, files(3))
    asyncio.run(fetched.compare())
    assert (witness.violations, sorted(client.fetched), fetched.said) == ([], ["0.png", "1.png", "2.png"], "all 3")


def test_of_many_files_a_stated_sample_is_fetched_from_all_jobs(witness: Witness) -> None:
    client, fetched = Fetching(), Fetched(witness, seed=1, most=20)
    for job in range(10):
        fetched.note(client, job, files(100))
    assert fetched.said == "20 of 1,000, by chance"
    assert len({job for _, job, _ in fetched.files}) > 5
    asyncio.run(fetched.compare())
    assert len(client.fetched) == 20
