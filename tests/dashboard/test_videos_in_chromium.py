"""Videos that the farm makes, played by a real Chromium from where the farm keeps them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from farm.methods.base import MethodConfig
from farm.methods.video.find import encoder, encoders_of
from farm.methods.video.formats import FORMATS
from farm.methods.video.inside.encoding import encode
from farm.methods.video.inside.pictures import linked
from farm.methods.video.method import VideoMethod
from tests.api.test_jobs import queued, render
from tests.jobs.pretend import tar_of
from tests.serving import PASSPHRASE, Served, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 120_000
"""ms that a busy machine may need."""

PLAYABLE = ("mp4", "av1", "webm")
COUNT, FPS = 24, 12.0

PLAYED = """async () => {
  const video = document.querySelector("video");
  const heard = (event) => new Promise((done) => {
    video.addEventListener(event, done, { once: true });
    video.addEventListener("error", done, { once: true });
  });
  if (video.readyState < 2 && !video.error) await heard("loadeddata");
  const sought = heard("seeked");
  video.muted = true;
  video.currentTime = video.duration * 0.75;
  await sought;
  const ended = heard("ended");
  await video.play();
  await ended;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0, 1, 1);
  return {
    error: video.error && video.error.message,
    size: [video.videoWidth, video.videoHeight],
    duration: video.duration,
    frames: video.getVideoPlaybackQuality().totalVideoFrames > 0,
    red: pen.getImageData(0, 0, 1, 1).data[0],
  };
}"""
"""Plays from the last quarter to the end, and tells what was there."""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium here."),
    pytest.mark.xdist_group("chromium"),
]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A video of each kind that browsers play: from black to red."""
    folder = tmp_path_factory.mktemp("videos")
    pictures = []
    for number in range(COUNT):
        pictures.append(folder / f"shot_{number:04d}.png")
        Image.new("RGB", (128, 96), (10 * number, 0, 0)).save(pictures[-1])
    (offer,) = VideoMethod().offers(MethodConfig())
    program, scene = offer.launcher.program, linked(pictures, folder / "linked")
    able = encoders_of(program)
    for kind in PLAYABLE:
        form, target = FORMATS[kind], folder / f"{kind}{FORMATS[kind].suffix}"
        encode(program, form, encoder(form, able), scene, None, {"fps": FPS}, target, lambda _: None)
    return {kind: folder / f"{kind}{FORMATS[kind].suffix}" for kind in PLAYABLE}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data") as running:
        yield running


def test_a_browser_plays_what_the_farm_encodes(served: Served, videos: dict[str, Path], tmp_path: Path) -> None:
    admin = served.admin()
    slave = served.slave(admin)
    job = queued(admin, tmp_path, frames="1").job
    files = {f"output_{path.name.replace('.', '_')}": path.read_bytes() for path in videos.values()}
    render(slave, 1, tar_of(**files))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{served.url}/")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="Farm").wait_for()
        for kind, path in videos.items():
            page.goto(f"{served.url}/api/jobs/{job}/output/1/{path.name}")
            played = page.evaluate(PLAYED)
            assert (played["error"], played["size"], played["frames"]) == (None, [128, 96], True), kind
            assert abs(played["duration"] - COUNT / FPS) < 0.2, kind
            assert played["red"] > 180, kind
        browser.close()


def test_a_part_of_a_video_is_served_with_its_kind(served: Served, videos: dict[str, Path], tmp_path: Path) -> None:
    admin = served.admin()
    slave = served.slave(admin)
    job = queued(admin, tmp_path, frames="1").job
    whole = videos["webm"].read_bytes()
    render(slave, 1, tar_of(output_shot_webm=whole, output_shot_mov=b"not for browsers"))
    ada = served.http.post("/api/accounts/login", json={"name": "ada", "passphrase": PASSPHRASE}).json()
    headers = {"authorization": f"Bearer {ada['token']}", "range": "bytes=10-19"}
    part = served.http.get(f"/api/jobs/{job}/output/1/shot.webm", headers=headers)
    assert (part.status_code, part.headers["content-type"], part.content) == (206, "video/webm", whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    other = served.http.get(f"/api/jobs/{job}/output/1/shot.mov", headers=headers)
    assert other.headers["content-disposition"].startswith("attachment")
