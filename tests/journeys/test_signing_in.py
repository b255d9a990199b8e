"""Signing in by keyboard alone, in a real Chromium with an authenticator of its own."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, CDPSession
from sqlalchemy.orm import Session

from core.outbox import OutboxMessage
from practice.accounts import addresses
from practice.accounts.models import Role
from practice.accounts.policy import PROOF_LASTS
from practice.accounts.queries import user_with
from tests.builders.accounts import make_client
from tests.builders.second_factors import give_passkey
from tests.journeys.chromium import Chromium
from tests.journeys.people import PASSWORD, add_user, address_of, building
from tests.journeys.town import Town

pytestmark = pytest.mark.browser
MOST_TABS = 60
ANSWERS_EVERYTHING = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

# Stands in for what asks a person: notes what the page asked for, and waits until it is withdrawn.
NOTES_WHAT_IS_ASKED = """
  window.asked = [];
  PublicKeyCredential.isConditionalMediationAvailable = async () => true;
  navigator.credentials.get = (options) => new Promise((resolve, reject) => {
    window.asked.push(options);
    options.signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
  });
"""
WITHOUT_OFFERS = {
    "passkeys are unknown": "delete window.PublicKeyCredential;",
    "only the button is known": "delete PublicKeyCredential.isConditionalMediationAvailable;",
    "the browser says no": (
        "PublicKeyCredential.isConditionalMediationAvailable = async () => false;"
    ),
    "the browser fails": (
        "PublicKeyCredential.isConditionalMediationAvailable = async () => true;"
        "navigator.credentials.get = async () => { throw new DOMException('', 'UnknownError'); };"
    ),
}


class Keyboard:
    """Somebody without a mouse."""

    def __init__(self, browser: Chromium) -> None:
        self.browser, self.page = browser, browser.page

    def go_to(self, words: str) -> None:
        """Press Tab until what has these words has the focus."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if words.lower() in self._focused().lower():
                return
        raise AssertionError(f"no Tab leads to “{words}” on {self.browser}")

    def type_into(self, label: str, text: str) -> None:
        self.go_to(label)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def press(self, words: str) -> None:
        """Go to a button or a link and press it; the next page is looked at as well."""
        self.go_to(words)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.browser.look()

    def _focused(self) -> str:
        return str(
            self.page.evaluate(
                "() => { const e = document.activeElement;"
                " return [e.innerText, e.labels?.[0]?.innerText, e.ariaLabel].join(' '); }"
            )
        )


@pytest.fixture
def opened(town: Town, chromium: Browser) -> Iterator[Callable[[], Chromium]]:
    browsers: list[Chromium] = []

    def open_one() -> Chromium:
        browsers.append(Chromium.lent(chromium, town.base, 1280))
        return browsers[-1]

    yield open_one
    for browser in browsers:
        browser.close()
    assert not town.faults, town.faults[0]
    for browser in browsers:
        assert not browser.findings, "\n".join(browser.findings)
        assert not browser.errors, browser.errors


@pytest.fixture
def browser(opened: Callable[[], Chromium]) -> Chromium:
    return opened()


@pytest.fixture
def sam(town: Town) -> str:
    with building(town) as session:
        make_client(
            session, user=add_user(town, "Sam", Role.client, session=session), at=town.clock.now()
        )
    return address_of("Sam")


def give_authenticator(browser: Chromium) -> tuple[CDPSession, str]:
    """The device under the browser: it knows its owner and answers without being touched."""
    device = browser.session()
    device.send("WebAuthn.enable")
    added = device.send("WebAuthn.addVirtualAuthenticator", {"options": ANSWERS_EVERYTHING})
    return device, added["authenticatorId"]


def keys_of(device: tuple[CDPSession, str]) -> list[dict[str, Any]]:
    session, authenticator = device
    kept: list[dict[str, Any]] = session.send(
        "WebAuthn.getCredentials", {"authenticatorId": authenticator}
    )["credentials"]
    return kept


def sign_in_with_password(hand: Keyboard, email: str) -> None:
    hand.browser.open("/sign-in")
    hand.type_into("E-mail address", email)
    hand.type_into("Password", PASSWORD)
    hand.page.keyboard.press("Shift+Tab")
    hand.press("Sign in")


def test_a_passkey_is_made_signs_in_and_proves_by_keyboard_alone(
    town: Town, browser: Chromium, sam: str
) -> None:
    device = give_authenticator(browser)
    hand = Keyboard(browser)
    sign_in_with_password(hand, sam)
    browser.open("/account")
    hand.press("Add a passkey")
    assert browser.heading == "Add a passkey"
    hand.type_into("Name", "My telephone")
    hand.press("Create the passkey")
    assert browser.heading == "Keep these ten codes"
    assert len(browser.texts(".codes li")) == 10
    assert len(keys_of(device)) == 1
    hand.press("I have kept them")
    browser.open("/account")
    assert browser.sees("My telephone")

    hand.press("Sign out")
    # The authenticator answers whatever waits: here it is to wait for the button.
    browser.run_first(WITHOUT_OFFERS["the browser says no"])
    browser.open("/sign-in")
    hand.press("Sign in with a passkey")
    assert browser.address.endswith("/today")

    town.clock.move(PROOF_LASTS + timedelta(seconds=1))
    browser.open("/account/password")
    assert browser.heading == "Confirm it is you"
    hand.press("Use my passkey")
    assert browser.heading == "Change your password"
    assert keys_of(device)[0]["signCount"] >= 2


def test_a_passkey_that_cannot_tell_its_owner_does_not_sign_in(
    town: Town, browser: Chromium, sam: str
) -> None:
    device, authenticator = give_authenticator(browser)
    hand = Keyboard(browser)
    sign_in_with_password(hand, sam)
    browser.open("/account/passkeys/new")
    hand.press("Create the passkey")
    browser.open("/account")
    hand.press("Sign out")
    device.send(
        "WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False}
    )
    browser.open("/sign-in")
    hand.go_to("Sign in with a passkey")
    browser.page.keyboard.press("Enter")
    browser.page.get_by_text("That did not work, or it was stopped").wait_for()
    browser.open("/account")
    assert browser.heading == "Good to see you again"


def test_the_field_for_the_address_offers_passkeys_until_the_button_is_pressed(
    browser: Chromium, sam: str
) -> None:
    page = browser.page
    browser.run_first(NOTES_WHAT_IS_ASKED)
    browser.open("/sign-in")
    browser.wait_until("window.asked.length === 1")
    first = page.evaluate(
        "() => { const { mediation, signal, publicKey: key } = window.asked[0]; return {"
        " mediation, waits: !signal.aborted, verified: key.userVerification, site: key.rpId,"
        " named: key.allowCredentials.length, challenge: key.challenge.length }; }"
    )
    assert first == {
        "mediation": "conditional",
        "waits": True,
        "verified": "required",
        "site": "localhost",
        "named": 0,
        "challenge": 32,
    }
    assert page.get_by_label("E-mail address").get_attribute("autocomplete") == "username webauthn"
    page.get_by_role("button", name="Sign in with a passkey").click()
    browser.wait_until("window.asked.length === 2")
    assert page.evaluate("window.asked[0].signal.aborted")
    assert page.evaluate("window.asked[1].mediation") is None


@pytest.mark.parametrize("how", WITHOUT_OFFERS)
def test_without_offered_passkeys_one_signs_in_as_ever(
    browser: Chromium, sam: str, how: str
) -> None:
    browser.run_first(WITHOUT_OFFERS[how])
    sign_in_with_password(Keyboard(browser), sam)
    assert browser.address.endswith("/today")


def test_other_pages_offer_nothing_by_themselves(browser: Chromium, sam: str) -> None:
    give_authenticator(browser)
    hand = Keyboard(browser)
    sign_in_with_password(hand, sam)
    browser.run_first(NOTES_WHAT_IS_ASKED)
    browser.open("/confirm-it-is-you")
    browser.wait_until("customElements.get('passkey-form')")
    assert browser.page.evaluate("window.asked") == []


def test_a_passkey_that_the_browser_offers_signs_in(
    town: Town, browser: Chromium, sam: str
) -> None:
    """As if its owner had chosen it in the field: the authenticator answers whatever waits."""
    device = give_authenticator(browser)
    hand = Keyboard(browser)
    sign_in_with_password(hand, sam)
    browser.open("/account/passkeys/new")
    hand.press("Create the passkey")
    browser.open("/account")
    hand.press("Sign out")
    browser.page.goto(f"{browser.base}/sign-in")
    browser.page.wait_for_url("**/today")
    assert keys_of(device)[0]["signCount"] >= 2


def test_the_warning_comes_two_minutes_before_and_staying_is_one_key(
    town: Town, browser: Chromium, sam: str
) -> None:
    hand = Keyboard(browser)
    sign_in_with_password(hand, sam)
    browser.open("/account")
    look_after(town, browser, seconds_left=119)
    dialog = browser.page.get_by_role("dialog")
    dialog.wait_for()
    assert "Are you still there?" in dialog.inner_text()
    with browser.page.expect_response(lambda answer: answer.url.endswith("/account/staying")):
        browser.page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    browser.open("/account")
    assert browser.heading == "Your account"


def test_what_was_typed_outlives_being_signed_out_and_is_sent_after_signing_in(
    town: Town, browser: Chromium, sam: str
) -> None:
    hand = Keyboard(browser)
    sign_in_with_password(hand, sam)
    browser.open("/account")
    hand.type_into("What should we call you?", "Robin of the long evening")
    look_after(town, browser, seconds_left=-1)
    browser.page.get_by_role("dialog").wait_for()
    assert "What you typed is still on this page" in browser.text
    with browser.page.context.expect_page() as tab:
        browser.page.get_by_role("link", name="Sign in, in a new tab").press("Enter")
    again = tab.value
    again.get_by_label("E-mail address").fill(sam)
    again.get_by_label("Password", exact=True).fill(PASSWORD)
    again.get_by_role("button", name="Sign in", exact=True).press("Enter")
    again.wait_for_url("**/today")
    again.close()
    browser.page.get_by_role("button", name="I have signed in").press("Enter")
    browser.page.get_by_role("dialog").wait_for(state="detached")
    hand.press("Save")
    assert browser.sees("We have kept your changes")
    assert browser.page.get_by_label("What should we call you?").input_value() == (
        "Robin of the long evening"
    )


def test_a_page_on_which_nothing_was_typed_is_left_when_the_time_is_over(
    town: Town, browser: Chromium, sam: str
) -> None:
    hand = Keyboard(browser)
    sign_in_with_password(hand, sam)
    browser.open("/account")
    with browser.page.expect_navigation():
        look_after(town, browser, seconds_left=-1)
    assert browser.heading == "Good to see you again"


def test_an_account_is_taken_back_by_keyboard_alone(
    town: Town, browser: Chromium, sam: str
) -> None:
    """Somebody with the password added a passkey, changed the address, and added another."""
    with building(town) as session:
        owner, at = user_with(session, sam), town.clock.now()
        give_passkey(session, owner, name="Unknown telephone", at=at - timedelta(hours=1))
        addresses.ask(session, owner, "thief@example.test", at)
        addresses.confirm(session, newest_token(session, "/address/"), at)
        give_passkey(session, owner, name="Another one", at=at)
        undo = newest_token(session, "/return")
    hand = Keyboard(browser)
    browser.open(f"/address/{undo}/return")
    assert browser.sees("A passkey, added")
    # What watches over a signed-in person's time has no place here: it would load the page anew.
    assert browser.page.locator("stay-signed-in").count() == 0
    hand.press("Take my account back")
    assert browser.heading == "Your account is back"
    assert not browser.sees("Another one")
    hand.type_into("New password", "a boat on the quiet lake")
    hand.go_to("Unknown telephone")
    browser.page.keyboard.press("Space")
    hand.type_into("The password you had before", PASSWORD)
    hand.press("Save my new password")
    assert browser.heading == "Good to see you again"
    hand.type_into("E-mail address", sam)
    hand.type_into("Password", "a boat on the quiet lake")
    hand.page.keyboard.press("Shift+Tab")
    hand.press("Sign in")
    assert browser.address.endswith("/today"), "no second step of the thief's is asked for"


def newest_token(session: Session, word: str) -> str:
    """The token in the newest mail with a link like this."""
    mails = sa.select(OutboxMessage).where(OutboxMessage.kind == "mail")
    for mail in session.scalars(mails.order_by(OutboxMessage.id.desc())):
        if word in mail.payload["body"]:
            return re.search(r"/address/([\w-]+)", mail.payload["body"]).group(1)  # type: ignore[union-attr]
    raise AssertionError(f"no mail has {word}")


def look_after(town: Town, browser: Chromium, *, seconds_left: int) -> None:
    """Let the page's person be idle until so much is left, and the page look at the clock."""
    left = browser.page.evaluate(
        "async () => (await (await fetch('/account/time-left')).json()).seconds"
    )
    town.clock.move(timedelta(seconds=left - seconds_left))
    browser.page.evaluate("() => { document.querySelector('stay-signed-in').look(); }")
