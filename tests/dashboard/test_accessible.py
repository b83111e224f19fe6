"""Every page as a screen reader and a keyboard meet it: axe finds nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from tests.dashboard.seed import Seeded, seeded
from tests.dashboard.shots import pages
from tests.dashboard.test_in_chromium import CHROMIUM, PATIENCE
from tests.serving import PASSPHRASE

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium here."),
    pytest.mark.xdist_group("chromium"),
]


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    with seeded(tmp_path_factory.mktemp("seeded")) as made:
        yield made


@pytest.fixture(scope="module")
def page(farm: Seeded) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page()
        shown.set_default_timeout(PATIENCE)
        shown.goto(f"{farm.served.url}/")
        _clean(shown, "/login")
        shown.get_by_label("Name").fill("ada")
        shown.get_by_label("Passphrase").fill(PASSPHRASE)
        shown.get_by_role("button", name="Log in").click()
        expect(shown.get_by_role("heading", name="Farm")).to_be_visible(timeout=PATIENCE)
        yield shown
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(page: Page, farm: Seeded, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for address in pages(farm).values():
        page.goto(farm.served.url + address)
        _clean(page, address)


def test_the_keyboard_leads_everywhere_and_a_sheet_says_how(page: Page, farm: Seeded) -> None:
    page.goto(f"{farm.served.url}/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible(timeout=PATIENCE)
    _clean(page, "the sheet of keys")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("/")
    page.keyboard.type("storm/s")
    expect(page.get_by_label("Search")).to_have_value("storm/s")


SHIFTS = """
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""
"""Adds up how far what was already to be seen moves (cumulative layout shift)."""


@pytest.mark.parametrize("width", [360, 3840])
def test_nothing_is_cut_off_and_nothing_jumps_from_a_phone_to_a_wall(page: Page, farm: Seeded, width: int) -> None:
    page.add_init_script(SHIFTS)
    page.set_viewport_size({"width": width, "height": 740 if width < 1000 else 2160})
    for name, address in pages(farm).items():
        page.goto(farm.served.url + address)
        page.wait_for_function("[...document.images].every((one) => one.complete || one.loading === 'lazy')")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        shifted = page.evaluate(
            "new Promise((told) => requestAnimationFrame(() => setTimeout(() => told(window.shifted))))"
        )
        assert shifted < 0.1, name


def _clean(page: Page, what: str) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"
