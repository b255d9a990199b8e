"""After signing out nothing is left in the browser: "back" leads to the door."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from core.database import db
from tests.builders.accounts import make_client
from tests.builders.accounts import sign_in as sign_in_directly
from tests.journeys.town import Town

SECRET = "Aurelia"


@pytest.fixture
def page(chromium: Browser, town: Town) -> Iterator[Page]:
    """Somebody signed in, on the page that greets them by name."""
    client = town.app.test_client()
    with town.app.app_context():
        ann = make_client(db.session(), preferred_name=SECRET, at=town.clock.now())
        sign_in_directly(client, ann.user)
    cookie = client.get_cookie(town.app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    context = chromium.new_context()
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": town.base}])
    page = context.new_page()
    page.goto(f"{town.base}/today")
    assert SECRET in page.inner_text("body")
    yield page
    context.close()


@pytest.mark.browser
def test_after_signing_out_the_way_back_shows_nothing(page: Page, town: Town) -> None:
    page.goto(f"{town.base}/account")
    page.get_by_role("button", name="Sign out", exact=False).first.click()
    page.wait_for_load_state()
    for _step in range(2):
        page.go_back()
        page.wait_for_load_state()
        assert SECRET not in page.content()
    assert "/sign-in" in page.url
    page.go_forward()
    assert SECRET not in page.content()


@pytest.mark.browser
def test_a_page_that_the_browser_had_kept_is_asked_for_anew(page: Page, town: Town) -> None:
    """What a browser that keeps even such pages would do on the way back."""
    with page.expect_navigation():
        page.context.clear_cookies()
        page.evaluate(
            "window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"
        )
    assert SECRET not in page.content()
    assert "/sign-in" in page.url
