"""Make the reference pages out of what the product says of itself: `python -m tests.docs.reference`.

So that a new option, setting, endpoint or error can't be forgotten: the test beside this
module fails while a page is not what this writes, or while something has no description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from farm.words.errors import DistrenError, codes
from tests.docs import jobschema

DOCS = Path(__file__).parents[2] / "docs" / "reference"
NOTE = "<!-- Written by `make docs`; change the descriptions in the code instead. -->\n\n"


def cell(text: object) -> str:
    """Return a text that fits into a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def errors_page() -> str:
    """List the tree of errors."""
    rows = "".join(
        f"| `{code}` | {kind.status} | {kind.exit_code} | {cell(kind.__doc__)} |\n"
        for code, kind in sorted(codes().items())
    )
    return (
        f"# Errors\n\n{NOTE}Every error has a stable code. Over HTTP it is a problem+json body (RFC 9457) with `code`, "
        "`detail` (what happened) and `hint` (what to do next); in the CLI one line and an exit code.\n\n"
        f"| code | HTTP | exit | meaning |\n|---|---|---|---|\n{rows}"
    )


def commands(command: Any, path: str = "distren") -> Iterator[tuple[str, Any]]:
    """Yield each verb of the command line with its full name."""
    if hasattr(command, "commands"):
        if command.invoke_without_command:
            yield path, command
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")
    else:
        yield path, command


def verbs() -> list[tuple[str, Any]]:
    """Return every verb of `distren`."""
    from farm.cli.verbs import VERBS, load

    return [pair for name in VERBS for pair in commands(load(name), f"distren {name}")]


def _option(parameter: Any) -> str:
    names = (
        ", ".join([*parameter.opts, *parameter.secondary_opts])
        if parameter.param_type_name == "option"
        else parameter.metavar or parameter.name.upper()
    )
    return f"| `{cell(names)}` | {cell(getattr(parameter, 'help', '') or '')} |\n"


def _verb(path: str, command: Any) -> str:
    rows = "".join(_option(p) for p in command.params if p.name != "help")
    table = f"\n| argument or option | meaning |\n|---|---|\n{rows}" if rows else ""
    return f"## {path}\n{(command.help or '').strip()}\n{table}\n"


def cli_page() -> str:
    """List the verbs with their options."""
    body = "".join(_verb(path, command) for path, command in verbs())
    exits = "0 all is well; 2 wrong usage or malformed input; 130 Ctrl-C; others: [errors](errors.md)."
    return f"# The command line\n\n{NOTE}Exit codes: {exits}\n\n{body}".rstrip() + "\n"


def settings_models() -> list[tuple[str, type[BaseSettings]]]:
    """Return every model of settings with its title."""
    from farm.words.settings import ClientSettings, ServerSettings, SlaveSettings

    return [("Server", ServerSettings), ("Slave", SlaveSettings), ("Client", ClientSettings)]


def _default(field: Any) -> str:
    if field.is_required():
        return "needed"
    if field.default_factory is not None:
        return "see meaning"
    value = field.default
    return "" if value in (None, "", [], ()) else f"`{cell(getattr(value, 'value', value))}`"


def settings_page() -> str:
    """List the settings with their defaults."""
    parts = []
    for title, model in settings_models():
        prefix = model.model_config.get("env_prefix", "")
        rows = "".join(
            f"| `{name}` | `{prefix.upper()}{name.upper()}` | {_default(field)} | {cell(field.description or '')} |\n"
            for name, field in model.model_fields.items()
        )
        doc = " ".join((model.__doc__ or "").split("\n\n")[0].split())
        parts.append(
            f"## {title}\n{doc}\n\n"
            f"| in the file | in the environment | default | meaning |\n|---|---|---|---|\n{rows}\n"
        )
    return (
        f"# Settings\n\n{NOTE}Command line before environment before file before default.\n\n"
        + "".join(parts).rstrip()
        + "\n"
    )


def endpoints() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of every endpoint."""
    from farm.api.app import openapi

    for path, verbs in sorted(openapi()["paths"].items()):
        for verb, operation in verbs.items():
            yield verb.upper(), path, operation


def http_page() -> str:
    """List the endpoints."""
    rows = "".join(
        f"| `{verb} {path}` | {cell(op.get('description', '').split(chr(10))[0])} |\n" for verb, path, op in endpoints()
    )
    return (
        f"# The HTTP API\n\n{NOTE}A running server shows every message with examples at `/docs` and `/openapi.json`. "
        "Send `Authorization: Bearer TOKEN` with all but the public ones.\n\n"
        f"| call | what it does |\n|---|---|\n{rows}"
    )


PAGES: dict[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "cli.md": cli_page,
    "settings.md": settings_page,
    "http.md": http_page,
    "package.md": jobschema.page,
    "distrenjob.rng": jobschema.relax_ng,
}


def undescribed(kind: type[DistrenError]) -> bool:
    """Tell whether an error has no docstring of its own."""
    return not kind.__dict__.get("__doc__")


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
