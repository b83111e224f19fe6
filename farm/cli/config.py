"""`config show`: the settings in force, and where each comes from."""

from __future__ import annotations

import os
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from farm.cli.options import Json
from farm.cli.output import emit, say, table
from farm.words.folders import config_file
from farm.words.settings import ClientSettings, FileSettings, ServerSettings, SlaveSettings, load

app = typer.Typer(
    help="Show the settings in force, and where each comes from.", no_args_is_help=True, add_completion=False
)


class Part(StrEnum):
    """Whose settings."""

    CLIENT = "client"
    SERVER = "server"
    SLAVE = "slave"


KINDS: dict[Part, type[FileSettings]] = {
    Part.CLIENT: ClientSettings,
    Part.SERVER: ServerSettings,
    Part.SLAVE: SlaveSettings,
}


@app.callback()
def _config() -> None:
    """Show the settings in force, and where each comes from."""


@app.command("show")
def show(
    part: Annotated[Part | None, typer.Argument(help="Only these; usually all.")] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Read this file, not the usual one.")] = None,
    json: Json = False,
) -> None:
    """Show the settings in force, and where each comes from. Secrets are hidden."""
    answers = {kind.value: _settings(KINDS[kind], config) for kind in ([part] if part else Part)}
    if json:
        emit(answers)
        return
    for name, answer in answers.items():
        say(f"{name}: {answer['file']}" + ("" if answer["file_exists"] else " (not there)"))
        rows = [[row["name"], str(row["value"]), row["source"]] for row in answer["settings"]]
        table(("setting", "value", "from"), rows)
        say("")


def _settings(kind: type[FileSettings], file: Path | None) -> dict[str, Any]:
    settings = load(kind, file)
    named = file or os.environ.get(kind.file_variable)
    path = Path(named) if named else config_file(kind.file_name)
    in_file = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    rows = [
        {"name": name, "value": _plain(getattr(settings, name)), "source": _source(kind, name, in_file)}
        for name in kind.model_fields
    ]
    return {"file": str(path), "file_exists": path.is_file(), "settings": rows}


def _source(kind: type[FileSettings], name: str, in_file: dict[str, Any]) -> str:
    variable = f"{kind.model_config.get('env_prefix', '')}{name}".upper()
    if variable in os.environ:
        return variable
    return "file" if name in in_file else "default"


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "(hidden)" if value.get_secret_value() else ""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
