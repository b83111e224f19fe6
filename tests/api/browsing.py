"""The dashboard as a browser without scripts opens it."""

from __future__ import annotations

import re

import httpx

from tests.serving import PASSPHRASE, Served


def own(served: Served) -> dict[str, str]:
    return {"accept": "text/html", "origin": served.url, "sec-fetch-site": "same-origin"}


def log_in(browser: httpx.Client, passphrase: str = PASSPHRASE, **more: str) -> httpx.Response:
    return browser.post("/login", data={"name": "ada", "passphrase": passphrase, **more})


def text(page: httpx.Response) -> str:
    """Return what a page shows, without its markup."""
    assert page.status_code == 200, page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))
