"""Messages from what people type, at a shell or into a form."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from farm.words.errors import Malformed
from farm.words.faults import in_words, member

M = TypeVar("M", bound=BaseModel)


def message(kind: type[M], **values: Any) -> M:
    """Make a message from what a person typed.

    Raises:
        Malformed: it does not fit; says which part.
    """
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Malformed(f"The {member(first['loc'])} won't do: {in_words(first)}.") from error
