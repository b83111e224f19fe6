"""The settings in force, and where each comes from."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from farm.words.filesettings import FileSettings
from farm.words.folders import config_file

_PASSWORD = re.compile(r"(://[^/:@]*):[^/@]*@")
"""A password in a URL."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A setting: its value as it would be written down, secrets hidden; `source`: the environment variable, `file`,
    `command line` or `default`.
    """

    name: str
    value: Any
    source: str
    description: str


def file_of(kind: type[FileSettings], named: Path | None = None) -> Path:
    """Return the settings file that is read: the one named, else the environment's, else the usual one."""
    wanted = named or os.environ.get(kind.file_variable)
    return Path(wanted).expanduser() if wanted else config_file(kind.file_name)


def origins(settings: FileSettings, file: Path) -> list[Origin]:
    """Return all settings in the order of their reference.

    Args:
        settings: those in force.
        file: where they were read, if it is there.
    """
    in_file = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    return [
        Origin(name, plain(getattr(settings, name)), _source(settings, name, in_file), field.description or "")
        for name, field in type(settings).model_fields.items()
    ]


def _source(settings: FileSettings, name: str, in_file: dict[str, Any]) -> str:
    variable = f"{settings.model_config.get('env_prefix', '')}{name}".upper()
    if variable in os.environ:
        return variable
    if name in in_file:
        return "file"
    return "command line" if name in settings.model_fields_set else "default"


def plain(value: Any) -> Any:
    """Return a setting's value as people may see it."""
    if isinstance(value, SecretStr):
        return "(hidden)" if value.get_secret_value() else ""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return _PASSWORD.sub(r"\1:(hidden)@", value)
    return str(value) if isinstance(value, Path) else value
