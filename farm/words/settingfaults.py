"""What is wrong with settings: where it is written, what would be right, and what the setting is for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from farm.words import faults, settingsfile
from farm.words.errors import BadSetting
from farm.words.filesettings import FileSettings

_LIST = "docs/reference/settings.md lists all settings."


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the settings come from: the file, and which of them the environment and the command line gave."""

    kind: type[FileSettings]
    file: Path
    environment: Collection[str]
    command: Collection[str]

    def bad(self, error: ValidationError) -> BadSetting:
        """Say each fault with its place; never the value, which may be a secret."""
        said: dict[str, str] = {}
        for fault in error.errors(include_url=False):
            name = str(fault["loc"][0]) if fault["loc"] else "settings"
            said.setdefault(name, self._said(name, fault))
        meanings = [f"{name}: {self.kind.model_fields[name].description}" for name in said if self._known(name)]
        return BadSetting(" ".join(said.values()), hint=" ".join([*meanings, _LIST]))

    def _known(self, name: str) -> bool:
        return name in self.kind.model_fields

    def _said(self, name: str, fault: Mapping[str, Any]) -> str:
        if name in self.command:
            return f"--{name.replace('_', '-')}{_right(fault)}."
        if name in self.environment:
            return f"{self.kind.model_config.get('env_prefix', '')}{name.upper()}{_right(fault)}."
        line = settingsfile.line_of(self.file, name)
        place = f"“{self.file}”, line {line}" if line else f"“{self.file}”"
        return f"{place}: {name}{_right(fault) if self._known(name) else self._unknown(name, fault['input'])}."

    def _unknown(self, name: str, value: object) -> str:
        if isinstance(value, dict):
            return " is a table, and settings stand in none: remove the line with its name"
        import difflib  # who has no typing error needs no memory for it

        near = difflib.get_close_matches(name, self.kind.model_fields, 1)
        return " is no setting" + (f", {near[0]} is" if near else "")


def _right(fault: Mapping[str, Any]) -> str:
    said = faults.in_words(fault)
    return f" {said}" if said.startswith(("must ", "is ")) else f": {said}"
