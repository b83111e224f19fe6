from __future__ import annotations

import re
from pathlib import Path

import pytest

from farm.words.errors import codes
from tests.docs import reference

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_page_is_what_the_product_says_of_itself(name: str) -> None:
    written = (reference.DOCS / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "run `make docs`"


def test_every_option_and_argument_is_described() -> None:
    bare = [
        f"{path} {p.name}"
        for path, command in reference.verbs()
        for p in command.params
        if p.name != "help" and not getattr(p, "help", "")
    ]
    assert not bare


def test_every_verb_is_described() -> None:
    assert not [path for path, command in reference.verbs() if not (command.help or "").strip()]


def test_every_setting_is_described() -> None:
    bare = [
        f"{title} {name}"
        for title, model in reference.settings_models()
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert not bare


def test_every_endpoint_is_described() -> None:
    assert not [f"{verb} {path}" for verb, path, op in reference.endpoints() if not op.get("description")]


def test_every_error_is_described() -> None:
    assert not [code for code, kind in codes().items() if reference.undescribed(kind)]


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_between_the_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]
