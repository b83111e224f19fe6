"""Messages from what people type, at a shell or into a form."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from farm.words.errors import Malformed

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
        where = ".".join(map(str, first["loc"]))
        raise Malformed(f"The {where} won't do: {first['msg']}.", hint=_HINTS.get(where, "")) from error


_HINTS = {
    "name": "Use 1 to 32 lower-case letters and digits, inside it also '.', '_' and '-'.",
    "passphrase": "Use at least 8 characters.",
}
