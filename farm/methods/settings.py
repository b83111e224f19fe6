"""Check a job's settings against those that its method declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from farm.methods.declarations import declarations
from farm.protocol.methods import MethodDescription, SettingDescription
from farm.words.errors import BadSetting

TEXT_LIMIT = 20_000
"""The most characters of a text setting."""

PROPERTY_LIMIT = 200
"""The most characters of a property's value."""

LARGEST = 1e18
"""The largest number of a property; renderers have none that is larger."""

VECTOR = 16
"""The most numbers of a property that is a vector, a colour or a matrix."""

_TRUTH = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


def checked_settings(description: MethodDescription, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings in their declared types, without those that are None.

    Texts are read as their type (so that a command line needs nothing of its own).

    Raises:
        BadSetting: unknown, of the wrong type, or out of its limits.
    """
    declared = {s.name: s for s in description.settings}
    for name in settings:
        if name not in declared and not is_path(description, name):
            known = [*(s.name for s in description.settings if not s.follows), *description.paths]
            raise BadSetting(
                f"The method {description.name} has no setting “{name[:100]}”.", hint=f"It has: {', '.join(known)}."
            )
    given = {name: value for name, value in settings.items() if value is not None}
    return {n: checked_value(declared[n], v) if n in declared else checked_property(n, v) for n, v in given.items()}


def is_path(description: MethodDescription, name: str) -> bool:
    """Tell whether a name is one of the properties that a method lets be set by their paths."""
    return any(re.fullmatch(re.escape(path).replace(r"\*", r"[a-z][a-z0-9_]*"), name) for path in description.paths)


def checked_property(name: str, value: Any) -> Any:
    """Return the value of a property; its type is known to the renderer only.

    Raises:
        BadSetting: it is neither a number, a text, a truth value nor a short list of numbers.
    """
    if isinstance(value, str | bool | int) and len(str(value)) <= PROPERTY_LIMIT:
        return value
    numbers = value if isinstance(value, list) else [value]
    if len(numbers) <= VECTOR and all(isinstance(one, int | float) and abs(one) <= LARGEST for one in numbers):
        return value
    raise BadSetting(f"{name} must be a number, a text, on or off, or a list of up to {VECTOR} numbers.")


def checked_value(setting: SettingDescription, value: Any) -> Any:
    """Return one value in the setting's type.

    Raises:
        BadSetting: it is none of this type, or out of the limits.
    """
    try:
        read = _READERS[setting.type](value)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise BadSetting(f"{setting.name} must be {_wanted(setting)}, not “{str(value)[:60]}”.") from None
    if setting.type == "choice" and read not in setting.choices:
        raise BadSetting(f"{setting.name} must be {_wanted(setting)}, not “{read[:60]}”.")
    low, high = setting.minimum, setting.maximum
    if not isinstance(read, str) and ((low is not None and read < low) or (high is not None and read > high)):
        raise BadSetting(f"{setting.name} must be {_wanted(setting)}, not {read}.")
    return read


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else _TRUTH[str(value).lower()]


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TEXT_LIMIT:
        raise TypeError
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "text": _text,
    "choice": _text,
    "declarations": declarations,
}


def _wanted(setting: SettingDescription) -> str:
    if setting.type == "choice":
        return f"one of {', '.join(setting.choices)}"
    limits = [f"at least {setting.minimum:g}"] if setting.minimum is not None else []
    limits += [f"at most {setting.maximum:g}"] if setting.maximum is not None else []
    nouns = {"integer": "a whole number", "number": "a number", "boolean": "on or off", "text": "a text"}
    nouns["declarations"] = 'lines NAME=VALUE, where VALUE is a number or a text in "quotes"'
    return " ".join([nouns[setting.type], setting.unit, " and ".join(limits)]).replace("  ", " ").strip()
