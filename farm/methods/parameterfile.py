"""Parameter files: a TOML or JSON text that names the sets of a job.

`sets`: a table for each set by its name, settings and values; `frames` in it narrows it. `axes`: a list
of such tables, of which each combination is a set: cameras × resolutions. `frames`: a table for each range
of the renderer's frames, whose settings change these frames in every set.
"""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

from pydantic import ValidationError

from farm.methods.parameters import checked_sets
from farm.protocol.jobs import ParameterSet
from farm.protocol.methods import MethodDescription
from farm.words import faults
from farm.words.errors import BadSetting

LARGEST = 1_000_000
"""Bytes of the largest parameter file."""

MOST = 1000
"""The most sets of a job, as the message says it."""

_MEMBERS = ("sets", "axes", "frames")
_HINT = "It holds [sets.NAME] tables, or [[axes]] to be combined, and [frames.RANGE] for single frames."


def read_parameters(data: bytes, name: str, description: MethodDescription) -> list[ParameterSet]:
    """Return the sets that a parameter file names.

    Args:
        data: the file.
        name: what it is called; `.json` is JSON, all else TOML.
        description: of the method whose settings they are.

    Raises:
        BadSetting: the file can't be read, or a set in it is wrong; names file, set and setting.
    """
    if len(data) > LARGEST:
        raise BadSetting(f"{name} has {len(data):,} bytes; the limit for a parameter file is {LARGEST:,}.")
    try:
        told = _load(data, name)
        sets = [*_sets(told), *_product(told), *_changes(told)]
    except _Wrong as error:
        raise BadSetting(f"{name}: {error}", hint=_HINT) from error
    if not sets:
        raise BadSetting(f"{name} names no set.", hint=_HINT)
    return checked_sets(description, sets, name)


class _Wrong(Exception):
    """Something in the file is not as it must be."""


def _load(data: bytes, name: str) -> dict[str, Any]:
    read: Callable[[str], Any] = json.loads if name.lower().endswith(".json") else tomllib.loads
    try:
        told = read(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        kind = "JSON" if read is json.loads else "TOML"
        raise _Wrong(f"this is no {kind} in UTF-8: {error}.") from error
    unknown = sorted(set(_table(told, "the file")) - set(_MEMBERS))
    if unknown:
        raise _Wrong(f"“{unknown[0][:60]}” is unknown here.")
    return dict(told)


def _sets(told: Mapping[str, Any]) -> Iterator[ParameterSet]:
    for name, values in _table(told.get("sets", {}), "sets").items():
        settings = dict(_table(values, f"set “{name}”"))
        frames = settings.pop("frames", None)
        yield _made(name=name, frames=None if frames is None else str(frames), settings=settings)


def _product(told: Mapping[str, Any]) -> Iterator[ParameterSet]:
    """Yield a set for each combination of one choice of every axis; its name joins theirs."""
    axes = told.get("axes", [])
    if not isinstance(axes, list):
        raise _Wrong("axes: this is no list of tables.")
    choices = [list(_table(axis, f"axis {place}").items()) for place, axis in enumerate(axes, 1)]
    if reduce(lambda count, axis: min(count * len(axis), MOST + 1), choices, 1) > MOST:
        raise _Wrong(f"axes: these are more than {MOST:,} sets.")
    for combination in itertools.product(*choices) if choices else ():
        settings: dict[str, Any] = {}
        for name, values in combination:
            settings |= _table(values, f"axes: “{name}”")
        yield _made(name="-".join(name for name, _ in combination), settings=settings)


def _changes(told: Mapping[str, Any]) -> Iterator[ParameterSet]:
    for frames, values in _table(told.get("frames", {}), "frames").items():
        yield _made(frames=frames, settings=dict(_table(values, f"frames “{frames}”")))


def _table(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(f"{what[:100]}: this is no table of names and values.")
    return value


def _made(**members: Any) -> ParameterSet:
    try:
        return ParameterSet.model_validate(members)
    except ValidationError as error:
        name = members.get("name") or members.get("frames")
        raise _Wrong(f"set “{str(name)[:60]}”: {faults.in_words(error.errors()[0])}.") from error
