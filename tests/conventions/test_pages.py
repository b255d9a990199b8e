"""What holds for every page that somebody of the demo clinic can reach by its links."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urldefrag, urlsplit

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from core.clock import FrozenClock
from core.database import db
from practice.accounts.models import User
from practice.accounts.queries import has_address
from practice.seed.demo import LOGINS, seed_demo_if_empty
from tests.builders.accounts import sign_in
from tests.conftest import NOW, empty_database

VISITOR = "a visitor"
PEOPLE = {VISITOR: "", **dict(LOGINS)}
# Pages of one kind are alike: so many of each are looked at.
MOST_OF_A_KIND = 2
UNFINISHED = re.compile(r"^\s*None\s*$|\{\{|<[A-Za-z_.]+ object")
NAMED_BY_ITSELF = {"hidden", "submit", "button"}
# One worker lays the clinic out, for all of them.
pytestmark = pytest.mark.xdist_group("the demo's pages")


@pytest.fixture(scope="module")
def clinic(whole_app: Flask) -> Iterator[Flask]:
    whole_app.extensions["clock"] = FrozenClock(NOW)
    with whole_app.app_context():
        empty_database(db.engine)
        seed_demo_if_empty(lambda _line: None)
        db.session.remove()
    yield whole_app
    with whole_app.app_context():
        empty_database(db.engine)


@pytest.fixture
def browser(clinic: Flask) -> FlaskClient:
    clinic.config["WTF_CSRF_ENABLED"] = True
    return clinic.test_client()


@pytest.mark.parametrize("person", PEOPLE)
def test_every_page_within_reach_is_whole(clinic: Flask, browser: FlaskClient, person: str) -> None:
    if person != VISITOR:
        with clinic.app_context():
            email = has_address(PEOPLE[person])
            sign_in(browser, db.session.scalars(sa.select(User).where(email)).one())
    seen = dict(pages_within_reach(clinic, browser))
    faults = {address: found for address, page in seen.items() if (found := list(faults_of(page)))}
    assert faults == {}
    assert len(seen) > 10


def pages_within_reach(
    clinic: Flask, browser: FlaskClient
) -> Iterator[tuple[str, BeautifulSoup | int]]:
    """Each address with its page, or with its status when that is an error."""
    waiting, seen, kinds = ["/", "/today", "/account"], set(), Counter()
    while waiting:
        address = waiting.pop(0)
        endpoint = endpoint_of(clinic, address)
        if address in seen or kinds[endpoint] >= MOST_OF_A_KIND:
            continue
        seen.add(address)
        kinds[endpoint] += 1
        answer = browser.get(address, follow_redirects=True)
        if answer.status_code != 200:
            yield address, answer.status_code
        elif answer.mimetype == "text/html" and "Content-Disposition" not in answer.headers:
            page = BeautifulSoup(answer.text, "html.parser")
            waiting += links_of(page)
            yield address, page


def endpoint_of(clinic: Flask, address: str) -> str:
    try:
        return str(clinic.url_map.bind("localhost").match(urlsplit(address).path)[0])
    except HTTPException:
        return "none"


def links_of(page: BeautifulSoup) -> list[str]:
    addresses = [urldefrag(str(link["href"])).url for link in page.find_all("a", href=True)]
    return [address for address in addresses if address.startswith("/")]


def faults_of(page: BeautifulSoup | int) -> Iterator[str]:
    if isinstance(page, int):
        yield f"answers {page}"
        return
    if len(page.find_all("h1")) != 1:
        yield f"{len(page.find_all('h1'))} first headings"
    if not page.title or not page.title.get_text().split(" · ")[0].strip():
        yield "no title"
    if len(page.find_all("main")) != 1:
        yield "not one main part"
    if not page.select('.crisis-line a[href="tel:988"]'):
        yield "no help right now"
    ids = Counter(str(tag["id"]) for tag in page.find_all(id=True))
    yield from (f"id {name} is there {times} times" for name, times in ids.items() if times > 1)
    labelled = {str(label["for"]) for label in page.find_all("label", attrs={"for": True})}
    for tag in page.find_all(True):
        yield from faults_of_tag(tag, set(ids), labelled)


def faults_of_tag(tag: Tag, ids: set[str], labelled: set[str]) -> Iterator[str]:
    if tag.has_attr("style") or any(name.startswith("on") for name in tag.attrs):
        yield f"inline style or script: {tag.name}"
    if tag.name == "script" and not tag.get("src"):
        yield "inline script"
    if posts(tag) and not tag.select('input[name="csrf_token"][value]'):
        yield f"no token in the form to {tag.get('action')}"
    if tag.name in {"input", "select", "textarea"} and not has_name(tag, labelled):
        yield f"nobody says what {tag.get('name')} is"
    for name in ("aria-describedby", "aria-labelledby", "for"):
        for target in str(tag.get(name) or "").split():
            if target not in ids:
                yield f"{name} points to {target}, which is not there"
    if tag.name in {"a", "button"} and not words_of(tag):
        yield f"a {tag.name} without words: {tag.get('href')}"
    if tag.name != "option" and UNFINISHED.search(tag.string or ""):
        yield f"unfinished words: {tag.string}"


def posts(tag: Tag) -> bool:
    return tag.name == "form" and str(tag.get("method", "get")).lower() == "post"


def has_name(tag: Tag, labelled: set[str]) -> bool:
    if tag.get("type") in NAMED_BY_ITSELF or tag.get("aria-label") or tag.get("aria-labelledby"):
        return True
    return tag.find_parent("label") is not None or tag.get("id") in labelled


def words_of(tag: Tag) -> str:
    images = [str(image.get("alt", "")) for image in tag.find_all("img")]
    return "".join([tag.get_text(), str(tag.get("aria-label") or ""), *images]).strip()
