"""What is wrong with a message or a setting, in plain words: artists read them in Blender, who know no patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from farm.words.names import PERSON_NAME, SERVER_NAME

PATTERNS = {
    f"^{PERSON_NAME.pattern}$": "use 1 to 32 letters and digits, inside it also “.”, “_” and “-”",
    f"^{SERVER_NAME.pattern}$": "use 1 to 63 letters and digits, inside it also “.” and “-”",
    r"^(\d+(\.\d+){1,2})?$": "write a version as 4.5 or 4.5.3",
    r"^[A-Za-z_][A-Za-z0-9_.]{0,99}(=[0-9A-Za-z.+-]{1,40})?$": "write an add-on as its name, or as name=version",
    r"^([A-Za-z0-9][A-Za-z0-9_-]{0,39})?$": "use letters and digits, inside it also “-” and “_”, 40 at most",
    r"^[a-z][a-z0-9_]{0,30}$": "use small letters, digits and “_”, 31 at most, a letter first",
    r"^https?://[^\s/?#]+(/[^\s?#]*)?$": "write an address that begins with http:// or https://",
    r"^([^@\s,;<>]+@[^@\s,;<>]+|https?://\S+)$": "write an e-mail address, or one that begins with https://",
}
"""What patterns of what people type allow. All others are of what programs send: hashes, keys, signatures."""

Said = Callable[[Mapping[str, Any]], str]

_ITEMS = {"Value": "character"}
"""What is counted: pydantic calls a secret text a value."""

_KINDS: dict[str, Said] = {
    "missing": lambda _: "is missing",
    "extra_forbidden": lambda _: "is not known here",
    "string_pattern_mismatch": lambda given: PATTERNS.get(given["pattern"], "has not the form that it must have"),
    "string_too_long": lambda given: f"use {_count(given['max_length'], 'character')} at most",
    "string_too_short": lambda given: f"use at least {_count(given['min_length'], 'character')}",
    "too_long": lambda given: f"give {given['max_length']:,} at most",
    "too_short": lambda given: f"use at least {_count(given['min_length'], _ITEMS.get(given['field_type'], 'item'))}",
    "greater_than": lambda given: f"must be more than {_number(given['gt'])}",
    "greater_than_equal": lambda given: f"must be {_number(given['ge'])} or more",
    "less_than": lambda given: f"must be less than {_number(given['lt'])}",
    "less_than_equal": lambda given: f"must be {_number(given['le'])} or less",
    "literal_error": lambda given: f"must be {_choices(given['expected'])}",
    "enum": lambda given: f"must be {_choices(given['expected'])}",
    "json_invalid": lambda given: f"is no JSON: {given['error']}",
    "value_error": lambda given: str(given["error"]).rstrip("."),
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), lambda _: "must be a whole number"),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), lambda _: "must be a number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), lambda _: "must be true or false"),
    **dict.fromkeys(("byte_size", "byte_size_unit"), lambda _: "must be a size, such as 500MB or 50GB"),
    **dict.fromkeys(("path_type", "path_parse"), lambda _: "must be a path"),
    **dict.fromkeys(("string_type", "string_sub_type"), lambda _: "must be a text"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), lambda _: "must be a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), lambda _: "must be an object with members"),
}  # fmt: skip
"""What kinds of faults mean, by pydantic's names of them."""

_MEMBER = re.compile(r"[A-Za-z_]\w*|\d+")
_OUTSIDE = ("body", "query", "path", "header")


def faults(error: ValidationError, most: int = 20) -> list[dict[str, str]]:
    """Return which members are wrong and why; never their values, which may be secrets.

    Of one member only the first fault counts: pydantic names one for each form that it may have.

    Args:
        error: of a message.
        most: members named; garbage has as many as its sender likes.
    """
    return of(error.errors(include_input=False, include_url=False), most)


def of(found: Any, most: int = 20) -> list[dict[str, str]]:
    """Do the same with pydantic's list of errors."""
    told: dict[str, str] = {}
    for fault in found:
        if len(told) == most:
            break
        told.setdefault(member(fault["loc"]), in_words(fault))
    return [{"member": name, "message": text} for name, text in told.items()]


def first(error: ValidationError) -> str:
    """Return the first of them, as `member: what is wrong`."""
    fault = error.errors()[0]
    return ": ".join(filter(None, [member(fault["loc"]), in_words(fault)]))


def member(place: tuple[Any, ...]) -> str:
    """Return the member's path in a message, `requires.tags.0`, without the names of forms that it may have."""
    parts = [str(part) for part in place if _MEMBER.fullmatch(str(part))]
    return ".".join(parts[1:] if parts[:1] and parts[0] in _OUTSIDE else parts)


def in_words(fault: Mapping[str, Any]) -> str:
    """Return what is wrong, and what would be right."""
    said = _KINDS.get(fault["type"])
    text = said(fault.get("ctx") or {}) if said else str(fault["msg"])
    return text[:_LONGEST]


_LONGEST = 200
"""Characters of a fault: a validator of ours may quote."""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _number(limit: Any) -> str:
    return f"{limit:,.15g}" if isinstance(limit, float) else f"{limit:,}" if isinstance(limit, int) else str(limit)


def _choices(expected: str) -> str:
    """Return choices as people write them, without the empty one: `'', 'cpu' or 'gpu'` becomes `cpu or gpu`."""
    given = [one for one in re.findall(r"'([^']*)'", expected) if one]
    return " or ".join(filter(None, [", ".join(given[:-1]), given[-1]])) if given else "empty"
