"""A request for every address of the API, made from its description: a new one is covered when it appears."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

ENDS = frozenset({"/api/accounts/logout", "/api/slave/logout"})
"""What would end the caller's own login."""

ENDLESS = frozenset({"/api/events", "/api/jobs/{job}/progress"})
"""Streams: who may read them is seen from the head of the answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that its description allows.

    Args:
        method: GET, POST …
        path: as the description has it, with `{names}`.
        public: nobody needs a token for it.
        query: what must be in the query.
        kind: of the body; '' for none.
        body: the description's example, or a few bytes.
    """

    method: str
    path: str
    public: bool
    query: dict[str, str]
    kind: str
    body: bytes

    def about(self, names: Mapping[str, str]) -> str:
        """Return its address, filled."""
        return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], self.path)

    def send(self, http: httpx.Client, names: Mapping[str, str], headers: Mapping[str, str]) -> httpx.Response:
        """Ask; of a stream that is let through, only the head is read."""
        given = {**headers, **({"content-type": self.kind} if self.kind else {})}
        target, query = self.about(names), self.asked(names)
        with http.stream(self.method, target, params=query, headers=given, content=self.body) as answer:
            if self.path not in ENDLESS or answer.is_error:
                answer.read()
            return answer

    def asked(self, names: Mapping[str, str]) -> dict[str, str]:
        """Return its query, filled."""
        return {name: names.get(name, value) for name, value in self.query.items()}


def calls(schema: dict[str, Any]) -> Iterator[Call]:
    """Give a request for each operation of an API's description."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            must = [p for p in operation.get("parameters", []) if p.get("required") and p["in"] == "query"]
            kind, body = _body(operation, schema["components"]["schemas"])
            yield Call(method.upper(), path, "security" not in operation, {p["name"]: "1" for p in must}, kind, body)


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> tuple[str, bytes]:
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        if kind != "application/json":
            return kind, b"some bytes"
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        return kind, json.dumps((schemas.get(name, {}).get("examples") or [{}])[0]).encode()
    return "", b""
