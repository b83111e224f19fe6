"""Options of a verb in groups: dataclasses whose fields are options, so that a verb with many stays readable."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """Return a verb that takes the fields of its dataclasses as options, each group in its place.

    Args:
        function: the verb; parameters that are annotated with a dataclass get an object of it.
    """
    hints = get_type_hints(function, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)}

    def verb(**given: Any) -> None:
        made: dict[str, Any] = {}
        for name, kind in groups.items():
            assert isinstance(kind, type)
            fields = (field.name for field in dataclasses.fields(kind))
            made[name] = kind(**{field: given.pop(field) for field in fields if field in given})
        function(**given, **made)

    parameters = [one for own in inspect.signature(function).parameters.values() for one in _flat(own, hints, groups)]
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb.__annotations__ = {one.name: one.annotation for one in parameters}
    verb.__doc__, verb.__name__ = function.__doc__, function.__name__
    return verb


def _flat(own: inspect.Parameter, hints: dict[str, Any], groups: dict[str, Any]) -> Iterator[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    if own.name not in groups:
        yield inspect.Parameter(own.name, keyword, default=own.default, annotation=hints[own.name])
        return
    kind = groups[own.name]
    fields = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        yield inspect.Parameter(field.name, keyword, default=field.default, annotation=fields[field.name])
