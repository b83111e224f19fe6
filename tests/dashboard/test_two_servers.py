"""Two processes of one farm on one MariaDB, a browser at each: both see the same, also after a lost connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from farm.client.farmclient import FarmClient
from farm.database.vector import Vector
from farm.protocol.accounts import LogIn
from tests.api.test_events import Listener, listening, submit
from tests.api.test_jobs import queued, render
from tests.cutting import cutting
from tests.dashboard.test_in_chromium import CHROMIUM, PATIENCE
from tests.databases import MariaDB
from tests.serving import PASSPHRASE, Served, serving

pytestmark = [pytest.mark.mariadb, pytest.mark.xdist_group("chromium")]


@pytest.fixture
def farm(mariadb: MariaDB, tmp_path: Path) -> Iterator[tuple[Served, Served]]:
    """Two processes' insides on one database and one folder of pictures."""
    with mariadb.fresh() as url:
        shared = {"database": url, "storage": tmp_path / "storage"}
        with serving(tmp_path / "one", **shared) as one, serving(tmp_path / "two", **shared) as two:
            yield one, two


@pytest.fixture
def admin(farm: tuple[Served, Served]) -> FarmClient:
    return farm[0].admin()


@pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium here.")
def test_two_browsers_agree_and_catch_up_after_a_lost_connection(
    farm: tuple[Served, Served], admin: FarmClient, tmp_path: Path
) -> None:
    one, two = farm
    slave = one.slave(admin)
    job = queued(admin, tmp_path, frames="1-3").job
    with cutting(two.url) as line, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        near, far = (_at(browser, url, job) for url in (one.url, line.url))
        render(slave, 1)
        for page in (near, far):
            expect(page.locator(".numbers").first).to_have_text("1 of 3", timeout=PATIENCE)
            expect(page.locator("#line")).to_be_hidden(timeout=PATIENCE)
        with line.broken():
            expect(far.locator("#line")).to_be_visible(timeout=PATIENCE)
            render(slave, 2)
            expect(near.locator(".numbers").first).to_have_text("3 of 3", timeout=PATIENCE)
            expect(far.locator(".numbers").first).to_have_text("1 of 3", timeout=PATIENCE)
        expect(far.locator("#line")).to_be_hidden(timeout=PATIENCE)
        expect(far.locator(".numbers").first).to_have_text("3 of 3", timeout=PATIENCE)
        assert far.evaluate("window.stayed")
        browser.close()


def test_a_stream_goes_on_at_the_other_process_without_a_gap_or_a_double(farm: tuple[Served, Served]) -> None:
    one, two = farm
    admin = one.admin()
    token = admin.login(LogIn(name="ada", passphrase=PASSPHRASE)).token
    at_two = FarmClient(two.url, token)
    with at_two, listening(one, admin) as heard:
        start = Vector.parse((heard.lines.get(timeout=10) or "").removeprefix("id: "))
        first = {submit(admin), submit(at_two)}
        middle = _followed(heard, start, first)
        second = {submit(admin), submit(at_two), submit(admin)}
        _followed(heard, middle, set(second))
    with listening(two, admin, headers={"Last-Event-ID": str(middle)}) as heard:
        _followed(heard, middle, second)


def _at(browser: Browser, url: str, job: int) -> Page:
    """Open a job's page in a window of its own."""
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{url}/jobs/{job}")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".numbers").first).to_have_text("0 of 3", timeout=PATIENCE)
    page.evaluate("window.stayed = true")
    return page


def _followed(heard: Listener, here: Vector, jobs: set[int]) -> Vector:
    """Follow a stream until all of these jobs are queued; each event is the next one of its writer."""
    waited = set(jobs)
    while waited:
        place, event = heard.event()
        there = Vector.parse(place)
        assert [seq - here.seen.get(who, 0) for who, seq in there.seen.items() if seq != here.seen.get(who, 0)] == [1]
        here = there
        if event.kind == "job" and event.data.get("state") == "queued":
            waited.discard(event.job or 0)
    return here
