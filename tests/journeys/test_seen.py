"""A page is looked at once in a run, and whatever is new on it is found wanting in either theme."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys import chromium as journeys
from tests.journeys.chromium import Chromium
from tests.journeys.seen import Seen

BASE = "http://localhost:9"
# The second paragraph cannot be read in the dark.
PAGE = """<!doctype html><html lang="en"><head><title>A page</title><style>
  :root { color-scheme: light dark; background: light-dark(#fff, #000) }
  p { color: light-dark(#000, #fff) } p.faint { color: light-dark(#333, #222) }
</style></head><body><main><h1>A page</h1><p>Plain</p>%s</main></body></html>"""
FAINT = "<p class='faint'>Faint</p>"
NAMELESS = "<img src='data:,'>"


@pytest.fixture
def browser(chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chromium]:
    """On made-up pages, with a memory of its own."""
    monkeypatch.setattr(journeys, "SEEN", Seen())
    browser = Chromium(chromium, BASE)
    browser._begin(390)
    yield browser
    browser.page.context.close()


def shows(browser: Chromium, piece: str) -> list[str]:
    """What is found on the page with this on it."""
    browser.page.route(f"{BASE}/page", lambda asked: asked.fulfill(body=PAGE % piece))
    browser.findings.clear()
    browser.open("/page")
    return [finding.removeprefix(f"{BASE}/page ") for finding in browser.findings]


@pytest.mark.browser
def test_what_is_new_on_a_page_that_was_looked_at_is_found_wanting(browser: Chromium) -> None:
    assert shows(browser, "") == []
    [nameless] = shows(browser, NAMELESS)
    assert nameless.startswith("(light): image-alt:")
    [faint] = shows(browser, FAINT)
    assert faint.startswith("(dark): color-contrast:")
    assert "Faint" in faint
    assert shows(browser, FAINT) == []


@pytest.mark.browser
def test_a_page_wider_than_its_window_is_found_wanting(browser: Chromium) -> None:
    [wide] = shows(browser, "<pre>" + "wide " * 100 + "</pre>")
    assert "wider than its window" in wide


def test_what_another_worker_looked_at_is_known(tmp_path: Path) -> None:
    one, other = Seen(), Seen()
    one.share(tmp_path / "looked-at")
    other.share(tmp_path / "looked-at")
    one.add({"a page", "a\nlist"})
    other.add({"a form"})
    assert other.new_of(["a page", "a\nlist", "a form", "a table"]) == {"a table"}
    assert one.new_of(["a page", "a form", "a table"]) == {"a table"}


def test_what_another_worker_is_just_writing_is_not_relied_on(tmp_path: Path) -> None:
    seen, file = Seen(), tmp_path / "looked-at"
    seen.share(file)
    file.write_bytes(b'["a page"]\n["a fo')
    assert seen.new_of(["a page", "a form"]) == {"a form"}
    file.write_bytes(b'["a page"]\n["a form"]\n')
    assert seen.new_of(["a page", "a form"]) == set()
