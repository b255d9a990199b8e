"""A change committed by one process is seen by another at its very next page: real processes."""

import time
from datetime import timedelta

import pytest
import requests

from core.clock import now
from core.database import db, unit_of_work
from practice.accounts import signing_in
from practice.app import create_app
from practice.therapists import operations as therapists
from practice.therapists.models import Therapist
from tests.builders.matches import make_seeker
from tests.builders.therapists import make_therapist
from tests.journeys.house import House, answers, wait_for

NAMES = ("Ana Alder", "Ben Birch")
ROUNDS = 5
A_SECOND = 1


@pytest.fixture
def house(tmp_path, own_database_url):
    """A web server of its own over an empty database."""
    house = House.over(own_database_url, tmp_path)
    house.migrate()
    yield house
    house.stop()


@pytest.fixture
def here(house):
    """This process, over the same database."""
    here = create_app(house.settings)
    with here.app_context():
        yield here
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def town(here):
    """Two therapists, and the address book of a client's browser."""
    at = now()
    with unit_of_work() as session:
        expires_on = (at + timedelta(days=365)).date()
        ones = [make_therapist(session, name, expires_on=expires_on, at=at) for name in NAMES]
        client = make_seeker(session, at=at)
        token = signing_in.begin(session, client.user, at, "a test", strong=True)
        keys = [one.id for one in ones]
    browser = here.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = token
    return keys, {"attune": browser.get_cookie("attune").value}


def test_a_full_therapist_is_gone_from_the_next_page_of_another_process(
    house, here, town, record_property
):
    (first, _), cookies = town
    house.start("web")
    wait_for(lambda: answers(f"{house.base}/health"), "the web server does not answer")
    assert names_on(house, cookies) == [*NAMES]
    took = []
    for places in (0, 2) * ROUNDS:
        with unit_of_work() as session:
            one = session.get(Therapist, first)
            therapists.set_capacity(session, one, places, actor=one.user, at=now())
        began = time.monotonic()
        assert names_on(house, cookies) == [*(NAMES if places else NAMES[1:])]
        took.append(time.monotonic() - began)
    record_property("seconds until seen", round(max(took), 3))
    assert min(took) < A_SECOND


def test_a_web_process_lays_the_market_out_before_anybody_asks(house, town):
    log = house.settings.data_dir / "web.log"
    house.start("web")
    wait_for(lambda: "market.warmed" in log.read_text(), log.read_text)
    # One line from each worker that is up by now.
    lines = [each for each in log.read_text().splitlines() if "market.warmed" in each]
    assert all('"count": 2' in line for line in lines)


def names_on(house, cookies):
    page = requests.get(f"{house.base}/matches", cookies=cookies, timeout=30)
    assert page.status_code == 200
    return [name for name in NAMES if name in page.text]
