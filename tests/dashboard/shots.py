"""Take pictures of every page of the dashboard: `python -m tests.dashboard.shots FOLDER [DOCS]`.

FOLDER gets all, to be looked at; DOCS those that the documentation shows.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.dashboard.seed import Seeded, seeded
from tests.serving import PASSPHRASE

WAYS = {"desktop": (1280, 800, "light"), "dark": (1280, 800, "dark"), "phone": (360, 740, "dark")}
"""Name → width, height, colour scheme."""

SHOWN = {
    "job-desktop": "dashboard-job",
    "play-dark": "dashboard-play",
    "timeline-desktop": "dashboard-timeline",
    "slave-desktop": "dashboard-slave",
}
"""What the documentation shows, and its name there."""


def pages(farm: Seeded) -> dict[str, str]:
    """Return the pages, name → address."""
    half = farm.jobs["lighthouse 020"]
    job = f"/jobs/{half}"
    return {
        "farm": "/",
        "jobs": "/jobs",
        "job": job,
        "play": f"{job}/play",
        "timeline": f"{job}/timeline",
        "points": f"{job}/points?points=0&boost=2",
        "again": f"{job}/again",
        "settings-of-job": f"/jobs/{farm.jobs['credits']}/settings",
        "frame": f"{job}/1",
        "compare": f"{job}/2/compare?other=9",
        "log": f"{job}/1/log?search=sample",
        "failed": f"/jobs/{farm.jobs['market 030']}",
        "slaves": "/slaves",
        "slave": "/slaves/ws03",
        "newslave": "/newslave",
        "servers": "/servers",
        "shares": "/shares",
        "statistics": "/statistics?by=slave",
        "leaders": "/statistics/leaders",
        "mypoints": "/me/points",
        "settings": "/settings",
        "me": "/me",
        "users": "/users",
        "addon": "/addon",
        "docs": "/docs",
    }


def main(folder: Path) -> None:
    """Write `dashboard-PAGE-WAY.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, seeded(Path(data)) as farm, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for way in WAYS:
            _shoot(browser, farm, way, folder)
        browser.close()


def publish(folder: Path, docs: Path) -> None:
    """Write small copies of those that the documentation shows."""
    for name, shown in SHOWN.items():
        with Image.open(folder / f"dashboard-{name}.png") as picture:
            low = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, 1000)))
            low.save(docs / f"{shown}.webp", "WEBP", quality=80, method=6)


def _shoot(browser: Browser, farm: Seeded, way: str, folder: Path) -> None:
    width, height, scheme = WAYS[way]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(f"{farm.served.url}/")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Farm").wait_for()
    for name, address in pages(farm).items():
        page.goto(farm.served.url + address)
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"dashboard-{name}-{way}.png", full_page=True)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        publish(Path(sys.argv[1]), Path(sys.argv[2]))
