"""`slaves lend`: how much of a slave the farm may use, and for whom."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import ByteSize, TypeAdapter, ValidationError

from farm.cli.connect import connect
from farm.cli.options import Json, Server
from farm.cli.output import emit, facts, size
from farm.client.lendcalls import LendCalls
from farm.protocol.terms import Accept, Terms
from farm.words.errors import Malformed

_BYTES = TypeAdapter(ByteSize)


def lend(
    slave: Annotated[str, typer.Argument(help="The slave's name: one of yours.")],
    cores: Annotated[int | None, typer.Option(min=0, help="Processors that renderers may use; 0: all.")] = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="The most memory of one renderer, e.g. 24GB; 0: as slave.conf says."),
    ] = None,
    disk: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Disk that jobs' files may use, e.g. 50GB; 0: as slave.conf says."),
    ] = None,
    cards: Annotated[bool | None, typer.Option("--cards/--no-cards", help="Use its graphics cards.")] = None,
    accept: Annotated[Accept | None, typer.Option(help="Whose jobs it renders.")] = None,
    methods: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Render methods, e.g. blender,povray; all: those that it has.")
    ] = None,
    server: Server = None,
    json: Json = False,
) -> None:
    """Say how much of a slave of yours the farm may use, and for whom; without options, show it.

    What its slave.conf says counts, too: the stricter of both. It is so from the next frames on; what has begun is
    finished.
    """
    wish: dict[str, Any] = {"cores": cores, "cards": cards, "accept": accept}
    wish |= {"memory_bytes": _bytes(memory), "disk_bytes": _bytes(disk), "methods": _names(methods)}
    wish = {name: value for name, value in wish.items() if value is not None}
    with connect(server) as client:
        calls = LendCalls(client)
        found = calls.terms(slave)
        if wish:
            found = calls.lend(slave, found.model_copy(update=wish))
    if json:
        emit(found)
    else:
        _show(found)


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(_BYTES.validate_python(text))
    except ValidationError as error:
        raise Malformed(f"“{text}” is no size.", hint="Write 24GB, 500MB or 0.") from error


def _names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    return [] if text == "all" else [name for name in text.replace(" ", "").split(",") if name]


def _show(found: Terms) -> None:
    as_conf = "as slave.conf says"
    facts(
        [
            ("cores", str(found.cores or "all")),
            ("memory", size(found.memory_bytes) if found.memory_bytes else as_conf),
            ("disk", size(found.disk_bytes) if found.disk_bytes else as_conf),
            ("cards", "yes" if found.cards else "no"),
            ("accept", found.accept.value),
            ("methods", ", ".join(found.methods) or "all"),
        ]
    )
