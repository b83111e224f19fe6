"""The add-on, as a server offers it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from urllib.parse import urljoin

from farm.package.addon import NAME
from tests.serving import Served


def test_anyone_may_fetch_it_by_either_name(served: Served) -> None:
    answer = served.http.get("/addon.zip")
    assert f'filename="{NAME}"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
    assert served.http.get(f"/addon/{NAME}").content == answer.content


def test_download_managers_may_ask_how_large_it_is(served: Served) -> None:
    for path in ("/addon.zip", f"/addon/{NAME}", "/addon/index.json"):
        asked, given = served.http.head(path), served.http.get(path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["content-length"] == str(len(given.content))


def test_its_listing_names_what_is_there(served: Served) -> None:
    (entry,) = served.http.get("/addon/index.json").json()["data"]
    packed = served.http.get(urljoin("/addon/index.json", entry["archive_url"])).content
    assert entry["archive_size"] == len(packed)
    assert entry["archive_hash"] == f"sha256:{hashlib.sha256(packed).hexdigest()}"


def test_a_page_says_how_to_install_it(served: Served) -> None:
    answer = served.http.get("/addon")
    assert f"{served.url}/addon/index.json" in answer.text
    assert "Log in" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
