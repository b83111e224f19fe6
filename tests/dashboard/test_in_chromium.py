"""The dashboard in a real Chromium: live without a reload, at any width, under its own policy."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from farm.client.farmclient import FarmClient
from farm.words.states import JobState
from tests.api.test_jobs import queued, render
from tests.cutting import cutting
from tests.dashboard.seed import result
from tests.jobs.pretend import tar_of
from tests.pictures.test_viewing import exr
from tests.serving import PASSPHRASE, Served, SlaveCaller, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 60_000
"""ms that a busy machine may need."""

DRAWN = """() => {
  const canvas = document.querySelector("canvas");
  return canvas.height === 180 && canvas.getContext("2d").getImageData(160, 90, 1, 1).data[3] === 255;
}"""
"""The player shows a picture."""

SEEN = (
    "() => { const shown = document.querySelector('#viewer img'); return shown.complete && shown.naturalWidth === 5; }"
)
"""The browser has decoded the EXR's view."""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium here."),
    pytest.mark.xdist_group("chromium"),
]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
def admin(served: Served) -> FarmClient:
    return served.admin()


@pytest.fixture
def slave(served: Served, admin: FarmClient) -> SlaveCaller:
    return served.slave(admin)


@pytest.fixture
def page(served: Served, admin: FarmClient) -> Iterator[Page]:
    """A browser's window in which the admin has logged in; what it complains of is a failure."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page()
        shown.set_default_timeout(PATIENCE)
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("console", lambda said: complaints.append(said.text) if "policy" in said.text.lower() else None)
        shown.goto(f"{served.url}/")
        shown.get_by_label("Name").fill("ada")
        shown.get_by_label("Passphrase").fill(PASSPHRASE)
        shown.get_by_role("button", name="Log in").click()
        expect(shown.get_by_role("heading", name="Farm")).to_be_visible(timeout=PATIENCE)
        yield shown
        browser.close()
    assert complaints == []


def test_a_page_follows_its_job_without_a_reload(
    page: Page, served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path).job
    page.goto(f"{served.url}/jobs/{job}")
    page.evaluate("window.stayed = true")
    expect(page.locator(".numbers").first).to_have_text("0 of 3", timeout=PATIENCE)
    render(slave, 3)
    expect(page.locator(".numbers").first).to_have_text("3 of 3", timeout=PATIENCE)
    expect(page.locator(".strip img")).to_have_count(3, timeout=PATIENCE)
    assert page.evaluate("window.stayed")


def test_what_was_chosen_survives_news_and_is_acted_on(
    page: Page, served: Served, admin: FarmClient, tmp_path: Path
) -> None:
    jobs = [queued(admin, tmp_path).job for _ in range(2)]
    page.goto(f"{served.url}/jobs")
    page.get_by_label(f"Choose job {jobs[0]}").check()
    newest = queued(admin, tmp_path).job
    expect(page.get_by_label(f"Choose job {newest}")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_label(f"Choose job {jobs[0]}")).to_be_checked(timeout=PATIENCE)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="paused")).to_be_visible(timeout=PATIENCE)
    assert [admin.job(n).state for n in jobs] == [JobState.PAUSED, JobState.QUEUED]


def test_a_lost_server_is_shown_and_found_again(page: Page, served: Served, admin: FarmClient, tmp_path: Path) -> None:
    with cutting(served.url) as line:
        lost = page.locator("#line")
        page.goto(f"{line.url}/jobs")  # the same login: cookies know no ports
        page.evaluate("window.stayed = true")
        page.wait_for_function("stream && stream.readyState === EventSource.OPEN")
        with line.broken():
            expect(lost).to_be_visible(timeout=PATIENCE)
            job = queued(admin, tmp_path).job
        expect(lost).to_be_hidden(timeout=PATIENCE)
        expect(page.get_by_label(f"Choose job {job}")).to_be_visible(timeout=PATIENCE)
        assert page.evaluate("window.stayed")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_nothing_is_cut_off_at_any_width(
    page: Page, served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path, width: int, scheme: str
) -> None:
    job = queued(admin, tmp_path, name="a very long name of a shot without any end " * 4, frames="1-120").job
    render(slave, 4)
    page.set_viewport_size({"width": width, "height": 740})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for address in (
        "/", "/jobs", f"/jobs/{job}", f"/jobs/{job}/1", f"/jobs/{job}/play", f"/jobs/{job}/timeline",
        f"/jobs/{job}/settings", "/slaves",
    ):  # fmt: skip
        page.goto(served.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_the_player_plays_what_is_there_and_what_comes(
    page: Page, served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1-3").job
    render(slave, 1, result(1))
    page.goto(f"{served.url}/jobs/{job}/play")
    here = page.locator("[data-do=open] output")
    expect(here).to_have_text("1", timeout=PATIENCE)
    page.wait_for_function(DRAWN)
    render(slave, 1, result(2))
    expect(page.get_by_label("Frame", exact=True)).not_to_have_attribute("max", "0", timeout=PATIENCE)
    page.keyboard.press("ArrowRight")
    expect(here).not_to_have_text("1", timeout=PATIENCE)
    page.get_by_role("button", name="Play").click()
    expect(here).to_have_text("1", timeout=PATIENCE)
    page.get_by_role("button", name="Stop").click()


def test_light_of_an_exr_is_shown_and_made_brighter(
    page: Page, served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1").job
    render(slave, 1, tar_of(output_0001_exr=exr(tmp_path).read_bytes(), log=b"Saved: 0001.exr"))
    page.goto(f"{served.url}/jobs/{job}/1")
    expect(page.locator(".log")).to_have_text("Saved: 0001.exr", timeout=PATIENCE)
    view = page.locator("#viewer img")
    page.wait_for_function(SEEN)
    page.get_by_label("Exposure").fill("2")
    expect(view).to_have_attribute("src", re.compile("exposure=2"), timeout=PATIENCE)
    page.wait_for_function(SEEN)


def test_an_exr_that_is_none_is_offered_for_download_only(
    page: Page, served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1").job
    render(slave, 1, tar_of(output_0001_exr=b"no picture at all", log=b"-"))
    page.goto(f"{served.url}/jobs/{job}/1")
    expect(page.get_by_role("link", name="0001.exr")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#viewer")).to_have_count(0)


def test_two_frames_are_wiped_over_each_other_by_keys(
    page: Page, served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    job = queued(admin, tmp_path, frames="1-2").job
    render(slave, 2, result(1))
    page.goto(f"{served.url}/jobs/{job}/1")
    page.keyboard.press("c")
    expect(page.get_by_role("group", name="How to compare")).to_be_visible(timeout=PATIENCE)
    over = page.locator("#compared figure").last
    page.keyboard.press("w")
    expect(over).to_have_css("clip-path", "inset(0px 0px 0px 50%)", timeout=PATIENCE)
    page.keyboard.press("ArrowLeft")
    expect(over).to_have_css("clip-path", "inset(0px 0px 0px 48%)", timeout=PATIENCE)
    page.keyboard.press("b")
    expect(over).to_have_css("clip-path", "none", timeout=PATIENCE)


STUB = """
  window.told = JSON.parse(sessionStorage.getItem("told") || "[]");
  window.Notification = class {
    static permission = sessionStorage.getItem("permission") || "default";
    static async requestPermission() {
      sessionStorage.setItem("permission", Notification.permission = "granted");
    }
    constructor(title) {
      window.told.push(title);
      sessionStorage.setItem("told", JSON.stringify(window.told));
    }
  };
"""
"""The browser's notifications, which a browser without a screen does not show."""


def test_the_browser_tells_of_ones_own_jobs_once_it_may_and_asks_only_when_clicked(
    page: Page, served: Served, admin: FarmClient, slave: SlaveCaller, tmp_path: Path
) -> None:
    bob = served.invited(admin, "bob")
    page.add_init_script(STUB)
    page.goto(f"{served.url}/me")
    form = page.get_by_role("form", name="In this browser")
    expect(form.get_by_text("Off, in this browser.")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("Notification.permission") == "default"
    form.get_by_label("jobs that are done").check()
    form.get_by_role("button", name="Notify me here").click()
    expect(form.get_by_text("On, in this browser.")).to_be_visible(timeout=PATIENCE)
    form.get_by_role("button", name="Test").click()
    page.goto(f"{served.url}/jobs")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible(timeout=PATIENCE)
    page.wait_for_function("stream && stream.readyState === EventSource.OPEN")
    theirs, mine = queued(bob, tmp_path, frames="1"), queued(admin, tmp_path, frames="1")
    render(slave, 2)
    title = f"Job {mine.job} “nap” is done"
    page.wait_for_function("title => window.told.includes(title)", arg=title)
    assert page.evaluate("window.told") == ["This is how it will look", title], f"not of job {theirs.job}"
    page.goto(f"{served.url}/me")
    form.get_by_role("button", name="Stop").click()
    expect(form.get_by_text("Off, in this browser.")).to_be_visible(timeout=PATIENCE)
