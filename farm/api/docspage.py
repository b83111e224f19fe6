"""All requests of this server as HTML, made of `/openapi.json`; the dashboard's `/docs` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any


def body(schema: dict[str, Any]) -> str:
    """Return an OpenAPI description as HTML. Pure."""
    return "".join(_sections(schema))


def _sections(schema: dict[str, Any]) -> Iterator[str]:
    for tag in schema.get("tags", []):
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag.get('description', ''))}</p>"
        for path, operations in schema["paths"].items():
            for verb, operation in operations.items():
                if tag["name"] in operation.get("tags", []):
                    yield _operation(path, verb, operation)
    yield "<h2>messages</h2>"
    for name, message in sorted(schema["components"]["schemas"].items()):
        yield _message(name, message)


def _operation(path: str, verb: str, operation: dict[str, Any]) -> str:
    head = f"<b>{verb.upper()}</b><code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
    rows = [(p["name"], _kind(p.get("schema", {})), p.get("description", "")) for p in operation.get("parameters", [])]
    body = _contents(operation.get("requestBody", {}))
    answers = [
        f"{escape(code)}{_contents(answer) and ': ' + _contents(answer)}"
        for code, answer in operation.get("responses", {}).items()
        if code[0] == "2"
    ]
    token = "needs a token" if operation.get("security") else "needs no token"
    sent = f"<p>Send: {body}</p>" if body else ""
    told = escape(operation.get("description", ""))
    return (
        f"<details><summary>{head}</summary><p>{told}</p>{_table(rows)}{sent}"
        f"<p>Answer: {', '.join(answers) or 'none'}; {token}.</p></details>"
    )


def _message(name: str, message: dict[str, Any]) -> str:
    rows = [(field, _kind(kind), kind.get("description", "")) for field, kind in message.get("properties", {}).items()]
    values = ", ".join(map(str, message.get("enum", [])))
    told = escape(message.get("description", "")) + (f" One of: {escape(values)}." if values else "")
    summary = f"<summary><code>{escape(name)}</code></summary>"
    return f'<details id="{escape(name)}">{summary}<p>{told}</p>{_table(rows)}</details>'


def _table(rows: list[tuple[str, str, str]]) -> str:
    cells = "".join(f"<tr><td><code>{escape(n)}</code><td>{kind}<td>{escape(told)}" for n, kind, told in rows)
    return f"<table>{cells}</table>" if cells else ""


def _contents(part: dict[str, Any]) -> str:
    return ", ".join(
        f"{escape(media)} {_kind(content.get('schema', {}))}".strip()
        for media, content in part.get("content", {}).items()
    )


def _kind(schema: dict[str, Any]) -> str:
    """Return a type in words, with a link to the message that it names; HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "items" in schema:
        return f"list of {_kind(schema['items']) or 'anything'}"
    several = schema.get("anyOf") or schema.get("oneOf") or []
    return " or ".join(filter(None, map(_kind, several))) or escape(str(schema.get("format") or schema.get("type", "")))
