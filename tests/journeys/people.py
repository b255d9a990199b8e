"""Who lives in the town of a story, and the steps that several of them take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.database import unit_of_work
from practice.accounts.authenticator import code_at, step_of
from practice.accounts.models import Role, User
from practice.accounts.passwords import hash_password
from practice.seed.people import add_demo_app
from practice.therapists.models import Therapist
from tests.builders.accounts import make_user
from tests.builders.therapists import make_therapist
from tests.journeys.chromium import Chromium
from tests.journeys.plain import PlainBrowser
from tests.journeys.town import Town

Anybody = PlainBrowser | Chromium
Browse = Callable[..., Anybody]
DESK = 1280

PASSWORD = "quiet river lantern"


@contextmanager
def building(town: Town) -> Iterator[Session]:
    """One transaction in which a story's world is built."""
    with town.app.app_context(), unit_of_work() as session:
        yield session


def add_user(town: Town, name: str, *roles: Role, session: Session, email: str = "") -> User:
    """Somebody who can sign in with PASSWORD; the address is made of the first name.

    Staff have the demo's second factor as well, so that its page tells them their code.
    """
    user = make_user(
        session,
        email or address_of(name),
        name=name,
        roles=roles,
        password_hash=hash_password(PASSWORD),
        at=town.clock.now(),
    )
    if user.is_staff:
        add_demo_app(session, user, town.clock.now())
    return user


def add_therapist(town: Town, name: str, *, session: Session, **columns: Any) -> Therapist:
    """A listed therapist who can sign in, licensed for more than a year from today."""
    return make_therapist(
        session,
        name,
        user=add_user(town, name, Role.therapist, session=session),
        at=town.clock.now(),
        **{"expires_on": a_year_ahead(town)} | columns,
    )


def a_year_ahead(town: Town) -> date:
    return (town.clock.now() + timedelta(days=400)).date()


def address_of(name: str) -> str:
    return f"{name.split(maxsplit=1)[0].lower()}@example.test"


def sign_in(browser: Anybody, name: str, *, at: str = "/sign-in") -> None:
    browser.open(at)
    browser.fill("E-mail address", address_of(name))
    browser.fill("Password", PASSWORD)
    browser.press("Sign in")
    if browser.heading == "One more step":
        show_code(browser)


def show_code(browser: Anybody) -> None:
    """Type the code that the demo shows, or the next one if that was used a moment ago."""
    for code in browser.texts(".demo-code"):
        browser.fill("Code", code)
        browser.press("Go on")
        if browser.heading != "One more step":
            return
    raise AssertionError("both codes were used")


def add_second_step(town: Town, browser: Anybody) -> None:
    """Set up an authenticator app from the page that staff are led to."""
    assert browser.heading == "Before you go on"
    browser.press("Set up an app")
    key = "".join(browser.texts(".key")[0].split())
    browser.fill("Code", code_at(key, step_of(town.clock.now())))
    browser.press("Confirm the code")
    browser.press("I have kept them")


def sign_up(town: Town, browser: Anybody, name: str) -> None:
    """From the first page to the text that stands before the questions."""
    browser.open("/")
    browser.follow("Start, about 8 minutes")
    assert browser.heading == "Are you 18 or older?"
    browser.follow("Yes, I am 18 or older")
    fill_in_account(town, browser, name)
    assert browser.heading == "Before you begin"


def fill_in_account(town: Town, browser: Anybody, name: str) -> None:
    """The account itself, confirmed by the link in the mail."""
    browser.fill("E-mail address", address_of(name))
    browser.fill("Password", PASSWORD)
    browser.press("Open my account")
    assert browser.heading == "Please look into your mail"
    browser.open(town.link_in_last_mail_to(address_of(name)))
    browser.press("Confirm my address")


def agree_before_the_questions(browser: Anybody, name: str) -> None:
    browser.tick("I have read the privacy notice")
    browser.tick("I agree to the questions, and to being contacted if an answer is worrying")
    sign(browser, name, "Agree and go on")


def sign(browser: Anybody, name: str, button: str) -> None:
    browser.fill("Your name, as your signature", name)
    browser.press(button)
