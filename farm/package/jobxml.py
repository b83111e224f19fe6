"""`distrenjob.xml`: read with line and column, written in one form only.

The grammar stands in :data:`CHILDREN`; what a method's own element holds, its description says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.saxutils import escape, quoteattr
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.sax import parseString

from farm.words.errors import BadPackage

NAME = "distrenjob.xml"
"""The description's file, at the top of a package."""

VERSION = "1.0"
LARGEST = 1_000_000
"""Bytes of the largest description; a job with a range for each of 10,000 files has half as many."""

CHILDREN: Mapping[str, frozenset[str]] = {
    "distrenjob": frozenset(
        {"name", "project", "comment", "source", "frames", "frame", "priority", "order", "approval", "paused"}
        | {"slaves", "limits", "requires", "files", "sets", "parameters", "depends"}
    ),
    "sets": frozenset({"set"}),
    "slaves": frozenset({"only", "not"}),
    "requires": frozenset({"addon"}),
    "files": frozenset({"file"}),
}
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "distrenjob": frozenset({"version"}),
    "slaves": frozenset({"max"}),
    "limits": frozenset({"render_seconds", "silence_seconds"}),
    "requires": frozenset({"version", "newer", "engine", "device"}),
    "file": frozenset({"path", "frames"}),
    "set": frozenset({"name", "frames"}),
    "depends": frozenset({"on", "frames", "needs", "match", "overlay"}),
}
SEVERAL = frozenset({"frames", "frame", "only", "not", "addon", "file", "set", "depends"})
"""Elements that may come more than once."""

SETTINGS = frozenset({"set"})
"""Elements that hold a method's settings, beside the method's own."""


@dataclass(slots=True)
class Element:
    """An element, and where it begins; `column` counts from 1."""

    name: str
    attributes: dict[str, str]
    line: int
    column: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{NAME}, line {self.line}, column {self.column}"

    def refuse(self, reason: str, hint: str = "") -> NoReturn:
        """Say that it is wrong.

        Raises:
            BadPackage: always; with line and column as facts, too.
        """
        raise BadPackage(f"{self.place}: {reason}", hint=hint, line=self.line, column=self.column)

    def one(self, name: str) -> Element | None:
        """Return the child with a name."""
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> list[Element]:
        """Return the children with a name."""
        return [child for child in self.children if child.name == name]


def read(data: bytes, methods: frozenset[str]) -> Element:
    """Return the root of a description, of which all elements and attributes are known.

    Args:
        data: the file.
        methods: the names of the methods' own elements, whose children are not looked at.

    Raises:
        BadPackage: it is too large, no XML, has a DTD, or something unknown; says where.
    """
    if len(data) > LARGEST:
        raise BadPackage(f"{NAME} has {len(data):,} bytes; the limit is {LARGEST:,}.")
    handler = _Handler(methods)
    try:
        parseString(data, handler, forbid_dtd=True)
    except SAXParseException as error:
        line, column = int(error.getLineNumber() or 0), int(error.getColumnNumber() or 0) + 1
        Element("", {}, line, column).refuse(f"this is no XML: {error.getMessage()}.")
    except DefusedXmlException as error:
        raise BadPackage(f"{NAME} has a DTD, which is not read.", hint="Remove <!DOCTYPE …>.") from error
    except (LookupError, ValueError) as error:
        raise BadPackage(f"{NAME} can't be read: {error}.", hint="Save it as UTF-8.") from error
    assert handler.root is not None
    return handler.root


class _Handler(ContentHandler):
    """Builds elements, and refuses what the grammar does not have as soon as it comes."""

    def __init__(self, methods: frozenset[str]) -> None:
        super().__init__()
        self.root: Element | None = None
        self._methods = methods
        self._free = methods | SETTINGS
        self._open: list[Element] = []
        self._locator: Locator | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802  SAX's name
        self._locator = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        assert self._locator is not None
        line, column = int(self._locator.getLineNumber() or 0), int(self._locator.getColumnNumber() or 0) + 1
        element = Element(name, dict(attrs.items()), line, column)
        if self._open:
            self._child(self._open[-1], element)
        else:
            self._top(element)
        self._open.append(element)

    def _top(self, element: Element) -> None:
        if element.name != "distrenjob":
            element.refuse(f"the outer element is <{element.name[:60]}>, not <distrenjob>.")
        self._attributes(element)
        version = element.attributes.get("version", "")
        if version != VERSION:
            said = f"version {version[:20]}" if version else "no version"
            element.refuse(f"this is {said} of the format.", hint=f'Write <distrenjob version="{VERSION}">.')
        self.root = element

    def _child(self, parent: Element, element: Element) -> None:
        if parent.name not in self._free:
            known = CHILDREN.get(parent.name, frozenset()) | (self._methods if parent is self.root else frozenset())
            if element.name not in known:
                hint = f"There are: {', '.join(sorted(known))}." if known else f"<{parent.name}> holds text only."
                element.refuse(f"<{parent.name}> has no element <{element.name[:60]}>.", hint=hint)
        if element.name not in SEVERAL and (first := parent.one(element.name)):
            element.refuse(f"<{element.name}> is here again; it was in line {first.line} before.")
        self._attributes(element)
        parent.children.append(element)

    def _attributes(self, element: Element) -> None:
        known = ATTRIBUTES.get(element.name, frozenset())
        for name in element.attributes:
            if name not in known:
                hint = f"It has: {', '.join(sorted(known))}." if known else "It has none."
                element.refuse(f"<{element.name}> has no attribute {name[:60]}.", hint=hint)

    def characters(self, content: str) -> None:
        self._open[-1].text += content

    def endElement(self, name: str) -> None:  # noqa: N802
        element = self._open.pop()
        element.text = element.text.strip()
        holds_text = element.name not in CHILDREN and element.name not in self._free
        if element.text and not holds_text:
            element.refuse(f"<{name}> holds elements, and no text such as “{element.text[:40]}”.")


Line = tuple[str, dict[str, Any], object]
"""An element to write: name, attributes (None: left out), and its text or its elements."""


def write(lines: list[Line]) -> bytes:
    """Return a description in its one form."""
    body = "".join(_written(line, 1) for line in lines)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<distrenjob version="{VERSION}">\n{body}</distrenjob>\n'.encode()


def _written(line: Line, depth: int) -> str:
    name, attributes, content = line
    pad, start = "  " * depth, " ".join([line[0], *_attributes_of(attributes)])
    if isinstance(content, list):
        inner = "".join(_written(child, depth + 1) for child in content)
        return f"{pad}<{start}>\n{inner}{pad}</{name}>\n" if inner else f"{pad}<{start}/>\n"
    return f"{pad}<{start}>{_text(content)}</{name}>\n"


_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 can't hold, however it is written."""


def _text(content: object) -> str:
    return escape(_clean(content), {"\r": "&#13;"})


def _clean(content: object) -> str:
    return _FORBIDDEN.sub("\ufffd", str(content))


def _attributes_of(attributes: dict[str, Any]) -> Iterator[str]:
    for name, value in attributes.items():
        if value is not None:
            yield f"{name}={quoteattr(_clean(value))}"
