"""The page's files: asked for once a version, packed, small, and nothing but the page's own."""

from __future__ import annotations

import re

import httpx
import pytest
from tests.serving import Served

from tutelage.interfaces.rest.page import KEEP, LATER, Page

PAGE = Page()
MAX_BYTES = 200_000


def test_the_whole_page_is_small() -> None:
    shown = [asset for name, asset in PAGE.assets.items() if not name.endswith(".txt")]
    assert sum(len(asset.content) for asset in shown) <= MAX_BYTES


def test_modules_of_first_views_are_asked_for_before_they_are_imported() -> None:
    text = PAGE.index.content.decode()
    assert PAGE.assets.keys() > LATER
    for name in PAGE.assets:
        if name.endswith((".js", ".css")):
            assert text.count(f'"/web/{PAGE.version}/{name}"') == (name not in LATER)


@pytest.fixture(scope="module")
def asset_url(served: Served) -> str:
    found = re.search(r'"(/web/[0-9a-f]+/app\.js)"', served.ask("GET", "/", scope=None).text)
    assert found
    return served.url + found[1]


def test_a_file_under_its_version_is_kept_for_good(asset_url: str) -> None:
    answer = httpx.get(asset_url, trust_env=False)
    assert answer.headers["cache-control"] == KEEP
    assert answer.headers["content-encoding"] == "gzip"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.text.startswith("import ")  # without the comment above it


def test_without_gzip_a_file_comes_as_it_is(asset_url: str) -> None:
    answer = httpx.get(asset_url, headers={"Accept-Encoding": "identity"}, trust_env=False)
    assert "content-encoding" not in answer.headers
    assert answer.content == PAGE.assets["app.js"].content


def test_what_a_browser_has_already_is_not_sent_again(served: Served) -> None:
    first = served.ask("GET", "/", scope=None)
    with served.http(None, **{"If-None-Match": first.headers["etag"]}) as http:
        again = http.get("/")
    assert (first.headers["cache-control"], again.status_code, again.content) == ("no-cache", 304, b"")


def test_a_tab_from_before_an_update_gets_its_views(served: Served) -> None:
    answer = served.ask("GET", "/web/0123456789ab/models.js", scope=None)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["nothing.js", "0123456789ab/nothing.js", "vendor", "%2e%2e/rest/page.py", ""])
def test_any_other_name_is_not_there(served: Served, name: str) -> None:
    assert served.ask("GET", f"/web/{name}", scope=None).status_code == 404
