"""`/docs`: all requests of this server on one page, made here of `/openapi.json`.

No script and nothing from elsewhere: it works without the internet, and under the
strictest content security policy.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color-scheme:light dark}"
    "code{font-family:ui-monospace,monospace}summary{cursor:pointer}details{margin:.3em 0}"
    "details>:not(summary){margin-left:1.2em}b{display:inline-block;min-width:4.5em}td{padding-right:1.5em}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The page's Content-Security-Policy: one style, known by its hash, and nothing else."""


def page(schema: dict[str, Any]) -> str:
    """Return an OpenAPI description as HTML. Pure."""
    title = escape(f"{schema['info']['title']} {schema['info']['version']}")
    body = "".join(_sections(schema))
    return (
        f"{head(f'{title}: requests')}<h1>{title}</h1>"
        '<p>All requests of this server. For programs: <a href="/openapi.json">openapi.json</a>. '
        "A token goes into the header <code>Authorization: Bearer …</code>; "
        f"errors are <code>application/problem+json</code>.</p>{body}</html>\n"
    )


def head(title: str) -> str:
    """Return how our plain pages begin.

    Args:
        title: HTML.
    """
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    )


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
