from __future__ import annotations

import inspect

import pytest

from farm.words import errors
from farm.words.errors import DistrenError, JobNotFound, codes, from_problem

classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DistrenError)]


def test_every_error_has_a_code_of_its_own() -> None:
    assert sorted(codes()) == sorted({kind.code for kind in classes})
    assert len(codes()) == len(classes)


@pytest.mark.parametrize("kind", classes)
def test_an_error_survives_the_way_over_http(kind: type[DistrenError]) -> None:
    sent = kind("Frame 7 of job 3 is gone.", hint="Retry it.", job=3)
    made = from_problem(sent.problem(), kind.status)
    assert type(made) is kind
    assert (made.message, made.hint, made.facts) == (sent.message, sent.hint, {"job": 3})


@pytest.mark.parametrize("kind", classes)
def test_only_malformed_input_is_422(kind: type[DistrenError]) -> None:
    assert (kind.status == 422) == issubclass(kind, errors.Malformed)


def test_an_unknown_code_is_judged_by_its_status() -> None:
    assert from_problem({"code": "new_thing", "detail": "x"}, 404).status == 404


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_whose_server_is_away_is_no_refusal(status: int) -> None:
    """A slave would give up the result that it sends."""
    assert type(from_problem({"detail": "nginx says no"}, status)) is errors.Unavailable


def test_an_error_without_words_says_its_default() -> None:
    assert str(JobNotFound()) == "There is no such job."
