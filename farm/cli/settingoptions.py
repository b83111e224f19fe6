"""Options of a verb made from the fields of its settings, so that no list is kept twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from farm.cli.options import Json
from farm.words.filesettings import FileSettings


def options_of(kind: type[FileSettings]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that gives a verb one option per setting.

    The verb is called with `config` (the settings file or None), `json`, and
    `given`: setting → value, None where the command line says nothing. Values stay
    text; :func:`farm.words.settings.load` reads and checks them.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def verb(config: str | None = None, json: bool = False, **given: Any) -> None:
            function(config=config, json=json, given=given)

        hints: dict[str, Any] = {name: _hint(kind, name) for name in kind.model_fields if not _secret(kind, name)}
        hints |= {"config": _config(kind), "json": Json}
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter(name, keyword, default=False if name == "json" else None, annotation=hint)
            for name, hint in hints.items()
        ]
        verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        verb.__annotations__ = hints
        verb.__doc__ = function.__doc__
        return verb

    return decorate


def _hint(kind: type[FileSettings], name: str) -> Any:
    field = kind.model_fields[name]
    option = f"--{name.replace('_', '-')}"
    help_text = field.description or ""
    if field.annotation is bool:
        return Annotated[bool | None, typer.Option(f"{option}/--no-{option[2:]}", help=help_text, show_default=False)]
    shown = "" if field.default_factory or field.is_required() else _text(field.default)
    metavar = "NUMBER" if field.annotation in (int, float) else "VALUE"
    more = f" Default: {shown}." if shown else ""
    return Annotated[str | None, typer.Option(option, help=help_text + more, metavar=metavar, show_default=False)]


def _secret(kind: type[FileSettings], name: str) -> bool:
    """Tell whether a setting must not be on a command line, where all of the machine can read it."""
    return kind.model_fields[name].annotation is SecretStr


def _text(default: Any) -> str:
    if default is None:
        return ""
    return ",".join(default) if isinstance(default, list) else str(default)


def _config(kind: type[FileSettings]) -> Any:
    text = f"The settings file (TOML); usually {kind.file_name} in your config folder."
    return Annotated[str | None, typer.Option("--config", metavar="FILE", help=text)]
