"""Make the schema of `distrenjob.xml` and its reference page out of the grammar and the methods' settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from farm.methods.registry import METHODS
from farm.package.jobxml import ATTRIBUTES, CHILDREN, SETTINGS, SEVERAL, VERSION
from farm.protocol.methods import MethodDescription, SettingDescription

EXAMPLES = Path(__file__).parents[2] / "docs" / "reference" / "package-examples"
_KINDS = {"integer": "integer", "number": "double", "text": "string", "declarations": "string"}


def relax_ng() -> str:
    """Return the schema, in RELAX NG's XML form."""
    body = "".join(_element("distrenjob"))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- Written by `make docs`. -->\n'
        '<grammar xmlns="http://relaxng.org/ns/structure/1.0" '
        'datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">\n'
        f"<start>\n{body}</start>\n</grammar>\n"
    )


def _element(name: str) -> Iterator[str]:
    yield f'<element name="{name}">\n'
    for attribute in sorted(ATTRIBUTES.get(name, ())):
        if name == "distrenjob":
            yield f'<attribute name="{attribute}"><value>{VERSION}</value></attribute>\n'
        else:
            yield f'<optional><attribute name="{attribute}"/></optional>\n'
    if name in CHILDREN:
        yield "<interleave>\n"
        for child in sorted(CHILDREN[name]):
            times = "zeroOrMore" if child in SEVERAL else "optional"
            yield f"<{times}>\n{''.join(_element(child))}</{times}>\n"
        if name == "distrenjob":
            yield "<choice>\n"
            yield from (_method(method.describe()) for method in METHODS.values())
            yield "</choice>\n"
        yield "</interleave>\n"
    elif name in SETTINGS:
        yield f"<zeroOrMore>{_ANY}</zeroOrMore>\n"
    elif name in ("limits", "file", "depends"):
        yield "<empty/>\n"
    else:
        yield "<text/>\n"
    yield "</element>\n"


_ANY = "<element><anyName/><text/></element>"


def _method(method: MethodDescription) -> str:
    settings = "".join(f"<optional>{_setting(setting)}</optional>\n" for setting in method.settings)
    if method.paths:
        names = "".join(f"<name>{setting.name}</name>" for setting in method.settings)
        others = f"<anyName><except>{names}</except></anyName>"
        settings += f"<zeroOrMore><element>{others}<text/></element></zeroOrMore>\n"
    return f'<element name="{method.name}">\n<interleave>\n{settings}</interleave>\n</element>\n'


def _setting(setting: SettingDescription) -> str:
    if setting.type == "choice":
        values = "".join(f"<value>{escape(choice)}</value>" for choice in setting.choices)
        return f'<element name="{setting.name}"><choice>{values}</choice></element>'
    if setting.type == "boolean":
        words = ("true", "on", "yes", "1", "false", "off", "no", "0")
        values = "".join(f"<value>{word}</value>" for word in words)
        return f'<element name="{setting.name}"><choice>{values}</choice></element>'
    return f'<element name="{setting.name}"><data type="{_KINDS[setting.type]}"/></element>'


_HEAD = """# The package of a job

A job as one file: a tarball (`.tar`, `.tar.gz` or `.tar.zst`) with `distrenjob.xml` at its top, \
and beside it all files that \
the job needs, in their own folders.

    distren pack FOLDER               # FOLDER.tar.zst; what is wrong in the description is named before
    distren submit FOLDER.tar.zst     # or the folder itself; only files that the server lacks travel
    distren unpack FOLDER.tar.zst
    curl -H "Authorization: Bearer $TOKEN" -T FOLDER.tar.zst -X POST https://farm.example.org/api/jobs/package
    curl -H "Authorization: Bearer $TOKEN" -o job12.tar https://farm.example.org/api/jobs/12/package

The last one rebuilds the package of any job, whichever way it came: by the add-on, the command \
line, a form or a package. \
It is the same uncompressed tar each time, byte for byte, as long as nobody changes the job; sent \
again, it makes the same job.

## The description

`<distrenjob version="1.0">` holds these elements, in any order. What is unknown is an error, named \
with line and column. The \
schema is [distrenjob.rng](distrenjob.rng) (RELAX NG): `xmllint --noout --relaxng distrenjob.rng distrenjob.xml`.

| element | what it holds |
|---|---|
"""

_MEANING = {
    "name": "The job's name; usually the method's.",
    "project": "A label.",
    "comment": "A note.",
    "source": "The path of the file that the method opens.",
    "frames": "A frame range such as `1-250x2`; several are put together.",
    "frame": "A single frame. A frame that is named twice is an error.",
    "priority": "0 to 100, usually 50; higher is sooner.",
    "order": "`any`, or `in_order`: one slave simulates and renders from the start.",
    "approval": "`true`: pause after the first, middle and last frame.",
    "paused": "`true`: render nothing until somebody resumes the job.",
    "depends": "Frames that wait for others. `match`: `previous` (frame of this job), or, of the job `on` (`12`, an "
    "address; none: this one), the `same` frame, or `all`, or `each`, of its frames `needs`; `frames`: which wait. "
    "With `overlay`, the files of these are laid over the job's own, for all of its frames. "
    "See [frames that depend on frames](../how-to/frames-that-depend.md).",
    "slaves": "`max`: at most so many at once. In it `<only>` and `<not>`, a slave's name each.",
    "limits": "`render_seconds`, `silence_seconds`: when a frame counts as hung.",
    "requires": "`version`, `newer`, `engine`, `device` of the renderer; `pool` of slaves. In it `<addon>`: `name` or "
    "`name=version`; `<tag>`: a word that its slaves must have.",
    "parameters": "The path of a [parameter file](parameters.md) of the package: all frames are rendered with each of "
    "its sets.",
    "sets": "The same, written out: in it `<set name=…>`, whose elements are the method's settings. With "
    "`frames` it has these frames only; without a name it changes these frames in every set.",
    "files": "In it `<file path=… frames=…/>` for files that only some frames need; every frame needs the others.",
}

_POLICY = """
## What may be in the tarball

Plain files and folders, with paths that every system can hold: no links, no devices, nothing \
absolute, no `..`, no names that \
differ in case only. It may not grow to more than 200 times its size, and has at most 100,000 \
members. Whatever breaks that is \
refused by name, and nothing of it is kept.
"""


def page() -> str:
    """Return the reference page of packages."""
    assert set(_MEANING) == CHILDREN["distrenjob"]
    rows = "".join(f"| `<{name}>` | {text} |\n" for name, text in _MEANING.items())
    told = [method.describe() for method in METHODS.values()]
    methods = "".join(f"| `<{method.name}>` | The settings of {method.title}, below. Just one. |\n" for method in told)
    parts = "".join(map(_settings_of, told))
    return f"{_HEAD}{rows}{methods}{_POLICY}{parts}"


def _settings_of(method: MethodDescription) -> str:
    example = (EXAMPLES / f"{method.name}.xml").read_text(encoding="utf-8")
    rows = "".join(
        f"| `{s.name}` | {', '.join(s.choices) or s.type}{f' {s.unit}' if s.unit else ''} | {s.help} |\n"
        for s in method.settings
    )
    rows += "".join(
        f"| `{path}` | one value | The scene's property of this path; `*` is any name. |\n" for path in method.paths
    )
    return (
        f"\n## {method.title}: `<{method.name}>`\n\n{method.help}\n\n"
        f"| element | holds | meaning |\n|---|---|---|\n{rows}\n"
        f"```xml\n{example}```\n"
    )
