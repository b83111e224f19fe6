"""Why a scene's pictures can't be put together from tiles without a seam."""

from __future__ import annotations

import re
from collections.abc import Iterable

_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r'"[^"\n]*"')

_WORDS = {
    r"\bradiosity\s*\{": "radiosity, whose samples each tile would take anew",
    r"\bphotons\s*\{": "photons, which differ from render to render",
    r"\bjitter\b": "jitter, which differs from render to render",
    r"\bcrand\b": "crand, which differs from render to render",
}
"""What POV-Ray does not render the same in tiles, as words of its language."""


def reasons(texts: Iterable[str]) -> list[str]:
    """Return the reasons that are written in a scene and the files that it includes; or none.

    It is looked for words, not for what the scene does in the end: what stands in one that is included, but never
    used, counts too.
    """
    plain = [_QUOTED.sub('""', _COMMENTS.sub(" ", text)) for text in texts]
    return [
        f"The scene has {what}: render it whole."
        for word, what in _WORDS.items()
        if any(re.search(word, text) for text in plain)
    ]
