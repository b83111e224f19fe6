"""What all settings share: their types, and the base of those that may stand in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def split(separator: str) -> BeforeValidator:
    """Return what splits texts of the environment; lists of a file stay as they are."""
    return BeforeValidator(lambda value: [p for p in value.split(separator) if p] if isinstance(value, str) else value)


def _at_home(value: object) -> object:
    """Return a path with the home folder in place of `~`; what is no path is told apart later."""
    try:
        return Path(value).expanduser() if isinstance(value, str) else value
    except RuntimeError as error:
        raise ValueError("the home folder that it names is not known") from error


Folder = Annotated[Path, BeforeValidator(_at_home)]
"""A path; `~` is the home folder."""

Paths = Annotated[list[Folder], NoDecode, split(os.pathsep)]
"""Paths; in the environment with the system's separator between (`:`, on Windows `;`)."""

Words = Annotated[list[str], NoDecode, split(",")]
"""Words; in the environment with commas between."""


class FileSettings(BaseSettings):
    """Settings that may stand in a TOML file; unknown ones are errors, so that typing errors show."""

    file_name: ClassVar[str]
    """The file's usual name in the config folder."""
    file_variable: ClassVar[str]
    """The environment variable that names another file."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)
