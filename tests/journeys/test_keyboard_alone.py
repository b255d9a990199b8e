"""The colleagues' pages by keyboard alone, in Chromium, at a desk and on a telephone.

Each page that the administrator, the records custodian, the clinical lead or the clinician on duty
opens (the table of `test_private_pages.py`) is walked with Tab: whatever can be used is reached, in
the order of the page, stands uncovered in the window and shows a ring, and nothing holds the focus.
Then the window becomes a telephone's, and each place is looked at again. A form that did not go
through puts the reader where it says what is missing. Axe looks at each page too, in both themes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page

from core.database import db, unit_of_work
from practice.care.closing import hand_over
from practice.care.models import Episode
from practice.privacy import operations as privacy
from tests.builders.accounts import make_client, sign_in
from tests.journeys.chromium import Chromium
from tests.journeys.conftest import leave, make_ready
from tests.journeys.people import DESK
from tests.journeys.street import Street, build
from tests.journeys.test_private_pages import OPEN_TO, VISITOR, WORDS_IN_ADDRESSES, audience_of
from tests.journeys.town import Town

pytestmark = pytest.mark.browser

TELEPHONE = 390
CLOSED = "ben's with rosa, closed"
COLLEAGUES = ("ines", "idris", "clara", "noor")
HIGH = 844
# Who asked, decides, reviews or reads is shown something else each time.
SEEN_DIFFERENTLY = {"care.emergencies", "care.emergency", "intake.flags"}
FEWEST_PAGES = 25
# (who, page, button): a form of each colleague, sent as it is.
FORMS = (
    ("idris", "/records", "Search"),
    ("noor", "/emergency/danger", "Open the record now"),
    ("clara", "/emergency/request", "Ask a second person"),
    ("ines", "/retention", "Place the hold"),
    ("ines", "/oversight/staff/invitation", "Send the invitation"),
    ("ines", "/oversight/replay", "Work it out"),
)
# Fields that Tab walks through in several steps: day, month, year, and the button of a calendar.
STEPS_WITHIN = 4

# Waits for Tab: what can be used, in order, and how each looks before it has the focus.
WATCH = """() => {
  const all = "a[href], button, input, select, textarea, summary, [tabindex]";
  const seen = one => one.checkVisibility({visibilityProperty: true}) && !one.disabled
    && one.tabIndex >= 0 && one.type !== "hidden";
  const named = one => `${[...document.forms].indexOf(one.form)} ${one.name}`;
  const groups = new Map();
  for (const one of document.querySelectorAll("input[type=radio]")) {
    if (!groups.has(named(one)) || one.checked) groups.set(named(one), one);
  }
  const stops = [...document.querySelectorAll(all)].filter(
    one => seen(one) && (one.type !== "radio" || groups.get(named(one)) === one));
  const ringed = one => [one, one.closest("label")].filter(Boolean);
  const look = one => ringed(one).map(each => {
    const style = getComputedStyle(each);
    return `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor} ${style.boxShadow}`;
  }).join("; ");
  const drawn = one => ringed(one).some(each => {
    const style = getComputedStyle(each);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const words = one => one.innerText || one.name || one.ariaLabel || one.id || "";
  const say = one => `${one.localName} “${words(one).trim().slice(0, 40)}”`;
  const rest = stops.map(look), walked = [];
  const uncovered = one => {
    // The first line of it: between the lines of a link is whatever stands behind.
    const box = one.getClientRects()[0];
    const [width, height] = [Math.min(box.width, 40), Math.min(box.height, 40)];
    const top = document.elementFromPoint(box.left + width / 2, box.top + height / 2);
    return !!top && (one.contains(top) || !!top.closest("label")?.contains(one));
  };
  const stop = one => {
    const box = one.getBoundingClientRect(), index = stops.indexOf(one);
    return {
      index, name: say(one), top: box.top + scrollY, left: box.left, bottom: box.bottom + scrollY,
      ring: index >= 0 && drawn(one) && look(one) !== rest[index],
      shown: box.bottom > 0 && box.top < innerHeight && uncovered(one),
    };
  };
  document.addEventListener("focusin", event => walked.push(stop(event.target)));
  window.walked = walked;
  // What the keyboard began goes on with a ring.
  window.lookAgain = () => {
    walked.length = 0;
    stops.filter(seen).forEach(one => one.focus());
    return walked;
  };
  const within = stops.filter(one => ["date", "time"].includes(one.type)).length;
  return {names: stops.map(say), within};
}"""


CARDS_TOO_WIDE = """[...document.querySelectorAll(".scroll:has(.stacked)")].some(
  one => one.scrollWidth > one.clientWidth)"""


@dataclass(frozen=True)
class Stop:
    """A place that Tab came to; `index` counts what can be used on the page, from 0."""

    index: int
    name: str
    top: float
    left: float
    bottom: float
    ring: bool
    shown: bool


@dataclass
class House:
    """The street with lists that have lines, and a browser for each colleague."""

    town: Town
    street: Street
    browser: Chromium
    cookies: dict[str, tuple[str, str]]

    def go(self, who: str, address: str) -> Page:
        self.browser.carry(*self.cookies[who])
        answer = self.browser.page.goto(f"{self.town.base}{address}")
        assert answer is not None
        assert answer.status == 200, (who, address, answer.status)
        return self.browser.page

    @cached_property
    def amiss(self) -> list[str]:
        """What is amiss for the keyboard on any page; axe has then looked at each as well."""
        amiss, pages = [], list(self.pages())
        for who, address in pages:
            page = self.go(who, address)
            page.set_viewport_size({"width": TELEPHONE, "height": HIGH})
            self.browser.look()
            amiss += [f"{who} {address}: {words}" for words in _walk(page)]
        assert len(pages) >= FEWEST_PAGES
        return amiss

    def pages(self) -> Iterator[tuple[str, str]]:
        """(who, address): every page of a colleague, and each emergency as each of them sees it."""
        for endpoint in sorted(OPEN_TO):
            seen = [
                (who, address)
                for thing, address in self._addresses(endpoint)
                for who in COLLEAGUES
                if who in _colleagues_of(endpoint, thing)
            ]
            yield from seen if endpoint in SEEN_DIFFERENTLY else seen[:1]

    def _addresses(self, endpoint: str) -> Iterator[tuple[str, str]]:
        rules = self.town.app.url_map.iter_rules(endpoint)
        [rule] = [one for one in rules if "GET" in (one.methods or ())]
        kinds = {name: kind for kind, name in re.findall(r"<(\w+):(\w+)>", rule.rule)}
        words = {name: WORDS_IN_ADDRESSES[name] for name in kinds if kinds[name] == "string"}
        things = [name for name in kinds if kinds[name] == "uuid"]
        known = self.street.things.get(things[0], {}) if things else {"": None}
        for thing, public_id in known.items():
            values = words | ({things[0]: str(public_id)} if things else {})
            with self.town.app.test_request_context():
                yield thing, self.town.app.url_for(endpoint, **values)


def _colleagues_of(endpoint: str, thing: str) -> set[str]:
    """Not of pages that visitors see too, nor of one's own account: other stories walk those."""
    audience = audience_of(OPEN_TO, endpoint, thing)
    is_theirs = VISITOR not in audience and not endpoint.startswith("accounts.")
    return audience if is_theirs else set()


@pytest.fixture(scope="module")
def house(whole_town: Town, chromium: Browser) -> Iterator[House]:
    """Built once: none of these stories changes what another one of them sees."""
    make_ready(whole_town)
    with whole_town.app.app_context(), unit_of_work() as session:
        street = build(session, whole_town.clock.now())
    _fill_the_lists(whole_town, street)
    cookies = {who: _cookie_of(whole_town, street, who) for who in COLLEAGUES}
    browser = Chromium.lent(chromium, whole_town.base, TELEPHONE)
    yield House(whole_town, street, browser, cookies)
    browser.close()
    leave(whole_town)


def _fill_the_lists(town: Town, street: Street) -> None:
    """A late note, somebody who was erased, and a hold, so that the lists of them have lines."""
    at = town.clock.now()
    with town.app.app_context(), unit_of_work() as session:
        closed = sa.select(Episode).filter_by(public_id=street.things["episode"][CLOSED])
        episode = session.scalars(closed).one()
        hand_over(session, episode, "One thing more.", episode.therapist.user, at)
        gone, ines = make_client(session, at=at), session.merge(street.people["ines"])
        privacy.place_hold(session, episode.client, "A subpoena", ines, at)
        privacy.erase(session, gone, None, at)


def _cookie_of(town: Town, street: Street, who: str) -> tuple[str, str]:
    client = town.app.test_client()
    with town.app.app_context():
        sign_in(client, db.session.merge(street.people[who]))
    cookie = client.get_cookie(town.app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    return cookie.key, cookie.value


def test_whatever_can_be_used_is_reached_in_order_and_shows_it(house: House) -> None:
    assert not house.amiss, "\n".join(house.amiss)


def _walk(page: Page) -> Iterator[str]:
    """What is amiss on the way from the first stop to the last, and on a telephone after it."""
    page.set_viewport_size({"width": DESK, "height": HIGH})
    known = page.evaluate(WATCH)
    names = known["names"]
    for _ in range(len(names) + known["within"] * STEPS_WITHIN):
        page.keyboard.press("Tab")
    stops = [Stop(**one) for one in page.evaluate("walked")][: len(names)]
    if [stop.index for stop in stops] != list(range(len(names))):
        yield f"goes {[stop.name for stop in stops]} instead of {names}"
    if names[0] != "a “Skip to the page”":
        yield f"begins with {names[0]}"
    yield from _unseen(stops)
    for one, after in pairwise(stops[1:]):
        if after.bottom <= one.top and after.left <= one.left:
            yield f"{after.name} comes after {one.name} and stands before it"
    page.set_viewport_size({"width": TELEPHONE, "height": HIGH})
    yield from _unseen([Stop(**one) for one in page.evaluate("lookAgain()")])
    if page.evaluate(CARDS_TOO_WIDE):
        yield "has cards that are wider than a telephone"


def _unseen(stops: list[Stop]) -> Iterator[str]:
    for stop in stops:
        if not stop.ring:
            yield f"{stop.name} has no ring"
        if not stop.shown:
            yield f"{stop.name} is not to be seen"


def test_axe_finds_nothing_on_any_of_them_in_either_theme(house: House) -> None:
    assert house.amiss is not None
    assert not house.browser.findings, "\n".join(house.browser.findings)


def test_the_way_round_the_navigation_is_one_key(house: House) -> None:
    for who in COLLEAGUES:
        page = house.go(who, "/emergency")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("!!document.activeElement.closest('#main')")


def test_a_form_that_did_not_go_through_leads_to_what_is_missing(house: House) -> None:
    for who, address, button in FORMS:
        page = house.go(who, address)
        page.get_by_role("button", name=button).focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.className") == "error-summary", address
        page.keyboard.press("Tab")
        field = page.evaluate("document.activeElement.hash")
        page.keyboard.press("Enter")
        assert page.evaluate("hash => document.querySelector(':focus').matches(hash)", field)


def test_a_record_is_looked_up_without_a_mouse(house: House) -> None:
    page = house.go("idris", "/records")
    with house.town.app.app_context():
        ben = db.session.merge(house.street.people["ben"])
        address = ben.email
    page.get_by_label("Name, e-mail address or number").focus()
    page.keyboard.type(address)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("Their new doctor asks, and they agreed in writing.")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("h1").inner_text() == "Closed records"
    # A new page begins at its beginning, and what was found comes before what could be searched.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    _press_tab_until(page, "Open the record")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("h1").inner_text() == "Ben"


def _press_tab_until(page: Page, words: str) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == words:
            return
    raise AssertionError(f"“{words}” is not reached")
