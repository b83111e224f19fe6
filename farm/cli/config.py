"""`config show`: the settings in force, and where each comes from."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from farm.cli.options import Json
from farm.cli.output import emit, say, table
from farm.words.filesettings import FileSettings
from farm.words.origins import file_of, origins
from farm.words.settings import ClientSettings, ServerSettings, SlaveSettings, load

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
    settings, path = load(kind, file), file_of(kind, file)
    rows = [{"name": one.name, "value": one.value, "source": one.source} for one in origins(settings, path)]
    return {"file": str(path), "file_exists": path.is_file(), "settings": rows}
