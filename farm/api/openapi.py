"""What `/openapi.json` says beyond FastAPI's own: tokens, problems, tags."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from farm.api.authenticate import PUBLIC
from farm.api.problem import MEDIA_TYPE
from farm.protocol.examples import EXAMPLES
from farm.words.errors import DistrenError, JobNotFound

TAGS = [
    {"name": "server", "description": "Who the server is, and how it is."},
    {
        "name": "accounts",
        "description": "Users, invites, tokens. Everything but registering and logging in needs a token.",
    },
    {"name": "methods", "description": "Render methods and their declared settings."},
    {"name": "jobs", "description": "From submission to pictures."},
    {"name": "points", "description": "What users earn by rendering for others, and what they spend it on."},
    {"name": "slaves", "description": "Render machines, as their owners steer them."},
    {"name": "notifications", "description": "Where you want to hear of what: mails and webhooks."},
    {"name": "slave protocol", "description": "What slaves call; docs/reference/slave-protocol.md says how."},
    {"name": "peers", "description": "Other servers, with which this one exchanges jobs."},
    {"name": "events", "description": "What happens, as it happens."},
]

_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "An RFC 9457 problem. `code` is stable; `hint` says what to do.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": [JobNotFound.code, DistrenError.code]},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
    },
    "example": JobNotFound("There is no job 12.", hint="`distren jobs` lists them.").problem(),
}


def describe(app: FastAPI) -> None:
    """Make an app describe itself fully, when it is first asked."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for name, example in EXAMPLES.items():
        if name in components["schemas"]:
            components["schemas"][name]["examples"] = [example]
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _lift(operation, components["schemas"])
            operation["responses"].pop("422", None)
            operation["responses"]["4XX"] = {"description": "What is wrong, and what to do.", **problem}
            operation["responses"]["5XX"] = {"description": "The server can't do this now.", **problem}
            if path not in PUBLIC:
                operation["security"] = [{"token": []}]


def _lift(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Move definitions within a hand-written body to the components, where their references look."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for name, definition in content.get("schema", {}).pop("$defs", {}).items():
            schemas.setdefault(name, definition)
