"""What is wrong with a message is said in plain words."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import farm.protocol
from farm.protocol.accounts import Register
from farm.protocol.base import Request
from farm.protocol.jobs import Submission
from farm.words.faults import PATTERNS, faults
from farm.words.names import PERSON_NAME
from farm.words.steps import PATTERN as STEPS

OF_PROGRAMS = (r"^[0-9a-f]{64}$", r"^[0-9a-f]{128}$", r"^[a-z0-9-]{0,40}$", STEPS)
"""Hashes, keys, signatures, circles and steps: nobody types them."""

NEEDED: dict[str, Any] = {"name": "shot", "requires": {"method": "blender"}, "frames": "1"}


def said(kind: type[BaseModel], **members: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        kind(**members)
    return {fault["member"]: fault["message"] for fault in faults(caught.value)}


@pytest.mark.parametrize(
    ("members", "member", "words"),
    [
        ({"requires": {"method": "blender", "tags": ["gpu", "so fast!"]}}, "requires.tags.1", "use 1 to 32 letters"),
        ({"requires": {"method": "blender", "pool": "the heavy"}}, "requires.pool", "use 1 to 32 letters"),
        (
            {"requires": {"method": "blender", "device": "cards"}},
            "requires.device",
            "must be cpu, gpu, any, optix, cuda, hip, metal or oneapi",
        ),
        ({"requires": {"method": "blender", "newer": "q"}}, "requires.newer", "must be true or false"),
        ({"requires": {"method": "blender", "version": "new"}}, "requires.version", "write a version as 4.5"),
        ({"priority": 200}, "priority", "must be 100 or less"),
        ({"priority": "high"}, "priority", "must be a whole number"),
        ({"comment": "x" * 2001}, "comment", "use 2,000 characters at most"),
        ({"frames": ""}, "frames", "use at least 1 character"),
        ({"limits": {"render_seconds": 0}}, "limits.render_seconds", "must be more than 0"),
        ({"order": "backwards"}, "order", "must be any or in_order"),
        ({"sets": {}}, "sets", "must be a list"),
        ({"settings": []}, "settings", "must be an object with members"),
        ({"colour": "red"}, "colour", "is not known here"),
        ({"source": "x" * 2000}, "source", "use 1,000 characters at most"),
    ],
)
def test_a_fault_names_the_member_and_what_is_allowed(members: dict[str, Any], member: str, words: str) -> None:
    (found,) = said(Submission, **{**NEEDED, **members}).items()
    assert found[0] == member
    assert found[1].startswith(words)


def test_what_is_missing_and_what_is_too_short_is_said_and_no_secret_is_repeated() -> None:
    assert said(Submission) == dict.fromkeys(NEEDED, "is missing")
    told = said(Register, name="ada", passphrase="short", invite="x" * 201)
    assert told == {"passphrase": "use at least 8 characters", "invite": "use 200 characters at most"}


def test_of_garbage_some_faults_are_named_and_not_all() -> None:
    assert len(said(Submission, **NEEDED, files=[{} for _ in range(100)])) == 20


def test_every_pattern_of_what_people_type_has_words() -> None:
    for found in pkgutil.iter_modules(farm.protocol.__path__):
        importlib.import_module(f"farm.protocol.{found.name}")
    patterns = {pattern for kind in _kinds(Request) for pattern in _patterns(kind.model_json_schema())}
    patterns.add(f"^{PERSON_NAME.pattern}$")  # schemas leave out what is checked behind a function
    assert set(PATTERNS) <= patterns, "a pattern that is no more"
    assert patterns - set(PATTERNS) <= set(OF_PROGRAMS)


def _kinds(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        schema = list(schema.values())
    for part in schema if isinstance(schema, list) else ():
        yield from _patterns(part)
