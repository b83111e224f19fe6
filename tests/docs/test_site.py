"""The pages of `docs/` as a site: all of them are in it, and it builds without a warning."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_page_is_in_the_menu_once() -> None:
    named = [
        line.strip(" -\n") for line in (ROOT / "mkdocs.yml").read_text("utf-8").splitlines() if line.endswith(".md")
    ]
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")]
    assert sorted(named) == sorted(pages)


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    build = [str(Path(sys.executable).with_name("zensical")), "build", "--strict"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DistRen" in (tmp_path / "build/site/index.html").read_text("utf-8")
    pages = [page.read_text("utf-8") for page in (tmp_path / "build/site").rglob("*.html")]
    loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//([^/"]+)', "".join(pages))
    assert not loaded, "readers are nobody else's business"
