"""The dashboard's pages with a full farm behind them: how soon they are seen, and how heavy they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from farm.client.farmclient import FarmClient
from farm.protocol.jobs import Requirement, Submission
from tests.bench.entry import Entry
from tests.serving import PASSPHRASE, Served, serving

JOBS, SLAVES, FRAMES = 1000, 1000, 100_000
LOADS = 5
"""Times that a page is opened; the median counts."""

PAINTED = """() => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const [page] = performance.getEntriesByType("navigation");
  return paint ? [paint.startTime, page.encodedBodySize] : null;
}"""
"""Milliseconds from the click to the first thing that is seen, and the bytes of the page itself."""


def measured(folder: Path) -> Iterator[Entry]:
    """Open each page, in a Chromium without a screen."""
    with serving(folder / "data") as served, sync_playwright() as playwright:
        _fill(served.admin(), served)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        _log_in(page, served)
        for name, address in _pages().items():
            seen = [_opened(page, served.url + address) for _ in range(LOADS)]
            soon, size = median(ms for ms, _ in seen), seen[-1][1]
            note = (
                f"{size / 1000:.0f} kB; {JOBS:,} jobs, {SLAVES:,} slaves, a job of {FRAMES:,} frames; median of {LOADS}"
            )
            yield Entry(f"dashboard, {name}: first paint", soon, "ms", "<= 100", note=note)
        browser.close()


def _pages() -> dict[str, str]:
    large = f"/jobs/{JOBS}"
    return {
        "farm": "/",
        "jobs": "/jobs",
        "job": large,
        "timeline": f"{large}/timeline",
        "frame": f"{large}/500",
        "slaves": "/slaves",
        "statistics": "/statistics",
    }


def _fill(admin: FarmClient, served: Served) -> None:
    wish = {"name": "shot", "requires": Requirement(method="sleep"), "frames": "1-10"}
    for number in range(1, JOBS + 1):
        frames = f"1-{FRAMES}" if number == JOBS else "1-10"
        admin.queue(admin.submit(Submission.model_validate({**wish, "frames": frames})).job)
    for number in range(SLAVES):
        served.slave(admin, f"ws{number:04}").close()


def _log_in(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Farm").wait_for()


def _opened(page: Page, address: str) -> tuple[float, int]:
    page.goto(address)
    page.wait_for_function(PAINTED)
    paint, size = page.evaluate(PAINTED)
    return float(paint), int(size)
