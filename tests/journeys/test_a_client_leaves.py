"""From signing in to being forgotten, by keyboard alone, with every page looked at on the way."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from core.config import current_settings
from core.database import db
from core.erasures import lines_of, register_of
from core.mail import KeptMail, was_sent_to
from practice.accounts.models import Client, Role
from practice.accounts.policy import PROOF_LASTS
from practice.care.models import Episode
from practice.consent.operations import ensure_documents
from practice.intake.models import Intake
from tests.builders.accounts import make_client
from tests.builders.appointments import make_booked
from tests.builders.intake import make_intake
from tests.builders.matches import make_request
from tests.journeys.chromium import Chromium
from tests.journeys.people import (
    PASSWORD,
    add_therapist,
    add_user,
    address_of,
    building,
    sign_in,
)
from tests.journeys.plain import PlainBrowser
from tests.journeys.test_signing_in import Keyboard
from tests.journeys.town import Town

pytestmark = pytest.mark.browser
STORY = "Since the winter my heart races in shops."


@pytest.fixture
def sam(town: Town) -> str:
    """In Rosa's care, with a meeting ahead; returns the address."""
    at = town.clock.now()
    with building(town) as session:
        ensure_documents(session, at)
        rosa = add_therapist(town, "Rosa Almeida", session=session)
        user = add_user(town, "Sam", Role.client, session=session)
        client = make_client(session, user=user, at=at)
        make_intake(session, client, story=STORY, at=at)
        make_booked(session, make_request(session, client, rosa, accepted=True, at=at), at=at)
    return address_of("Sam")


@pytest.fixture(params=[390, 1280])
def hand(request: pytest.FixtureRequest, town: Town, chromium: Browser) -> Iterator[Keyboard]:
    browser = Chromium.lent(chromium, town.base, request.param)
    yield Keyboard(browser)
    browser.close()
    assert not town.faults, town.faults[0]
    assert not browser.findings, "\n".join(browser.findings)
    assert not browser.errors, browser.errors


def test_a_client_signs_in_and_leaves_by_keyboard_alone(
    town: Town, hand: Keyboard, sam: str
) -> None:
    sign_in_by_keyboard(hand, sam)
    hand.press("see what we keep and who opened it")
    assert hand.browser.heading == "Your data"
    hand.press("See who looked")
    assert hand.browser.heading == "Who opened your record"
    hand.press("← Your data")
    town.clock.move(PROOF_LASTS + timedelta(seconds=1))
    hand.press("See what would happen")
    prove_by_keyboard(hand)
    assert hand.browser.heading == "Have your data erased"
    assert hand.browser.sees("Your care with Rosa Almeida ends, and they are told.")
    forget_the_word(hand)
    type_it_where_the_summary_leads(hand)
    hand.press("Erase my data")
    assert hand.browser.heading == "Your data is erased"
    assert hand.browser.sees("because the state has records of care kept")
    assert_everything_is_closed(town, hand, sam)


def sign_in_by_keyboard(hand: Keyboard, address: str) -> None:
    hand.browser.open("/sign-in")
    hand.type_into("E-mail address", address)
    hand.type_into("Password", PASSWORD)
    hand.page.keyboard.press("Shift+Tab")
    hand.press("Sign in")
    assert hand.browser.heading == "Hello, Sam"


def prove_by_keyboard(hand: Keyboard) -> None:
    """The proof from signing in is too old by now."""
    assert "/confirm-it-is-you" in hand.browser.address
    hand.type_into("Password", PASSWORD)
    with hand.page.expect_navigation():
        hand.page.keyboard.press("Enter")


def forget_the_word(hand: Keyboard) -> None:
    """Nothing happens without it, and the summary leads to the field."""
    hand.press("Erase my data")
    assert hand.browser.sees("Please look at this again")
    assert hand.browser.sees("Please type the word erase.")


def type_it_where_the_summary_leads(hand: Keyboard) -> None:
    hand.go_to("Type the word")
    hand.page.keyboard.press("Enter")
    hand.page.keyboard.type("erase")


def assert_everything_is_closed(town: Town, hand: Keyboard, address: str) -> None:
    town.settle()
    assert subjects_to(town, address)[-1] == "Your account is closed"
    hand.browser.open("/your-data")
    assert hand.browser.heading == "Good to see you again"
    with town.app.app_context():
        assert db.session.scalars(sa.select(Intake.id)).all() == []
        assert db.session.scalars(sa.select(Episode)).one().ended_at is not None
        lines = "\n".join(lines_of(register_of(current_settings())))
        assert str(db.session.scalars(sa.select(Client.public_id)).one()) in lines


def subjects_to(town: Town, address: str) -> list[str]:
    with town.app.app_context():
        sent = sa.select(KeptMail).where(was_sent_to(address)).order_by(KeptMail.id)
        return [mail.subject for mail in db.session.scalars(sent)]


def test_the_therapists_open_page_loses_the_record_at_the_next_click(
    town: Town, hand: Keyboard, sam: str
) -> None:
    rosa = PlainBrowser(town.base)
    sign_in(rosa, "Rosa")
    with town.app.app_context():
        record = f"/caseload/{db.session.scalars(sa.select(Episode.public_id)).one()}"
    rosa.open(record)
    assert rosa.sees(STORY)
    sign_in_by_keyboard(hand, sam)
    hand.browser.open("/your-data/erasure")
    hand.type_into("Type the word", "erase")
    hand.press("Erase my data")
    rosa.open(record)
    assert rosa.status == 404
    assert not rosa.sees(STORY)
    # For thirty days a name is left there, for the closing notes.
    rosa.open("/caseload")
    assert not rosa.sees("PHQ-9")
    rosa.close()
