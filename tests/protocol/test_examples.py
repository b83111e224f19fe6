from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from pydantic import BaseModel

from farm import protocol
from farm.api.app import openapi
from farm.protocol.examples import EXAMPLES

MODULES = [import_module(f"farm.protocol.{found.name}") for found in iter_modules(protocol.__path__)]


def message(name: str) -> type[BaseModel]:
    for module in MODULES:
        if hasattr(module, name):
            kind: type[BaseModel] = getattr(module, name)
            return kind
    raise LookupError(name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_message_that_we_take(name: str) -> None:
    kind = message(name)
    kind.model_validate(EXAMPLES[name])
    assert set(EXAMPLES[name]) <= set(kind.model_fields)


def bodies() -> list[tuple[str, dict[str, Any]]]:
    api = openapi()["paths"]
    operations = [(f"{verb} {path}", op) for path, verbs in api.items() for verb, op in verbs.items()]
    asked = [(where, op["requestBody"]) for where, op in operations if "requestBody" in op]
    answered = [(where, answer) for where, op in operations for answer in op["responses"].values()]
    json = "application/json"
    return [(where, body["content"][json]) for where, body in asked + answered if json in body.get("content", {})]


def references(schema: object) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []
        return own + [name for part in schema.values() for name in references(part)]
    return [name for part in schema for name in references(part)] if isinstance(schema, list) else []


def test_every_message_of_the_api_has_an_example() -> None:
    shown = openapi()["components"]["schemas"]
    own = {"MethodDescription"}  # the methods' real descriptions are served
    bare = {
        f"{where}: {name}"
        for where, content in bodies()
        for name in references(content.get("schema", {}))
        if name not in own and "example" not in content and not shown[name].get("examples")
    }
    assert not bare
