"""kill -9 of web and worker while money moves: afterwards each seat and each cent is accounted for.

Real processes over a fresh database. What a crash may cost is time, never money: after a restart
a paid seat is confirmed once, a refund goes out once, and nothing stays in between.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from billing.models import Charge, Order, OrderState, Refund, RefundState
from core.database import db, unit_of_work
from core.outbox import OutboxMessage
from practice.accounts.models import Client, Role, User
from practice.accounts.passwords import hash_password
from practice.accounts.queries import has_address
from practice.app import create_app
from practice.groups.models import Enrolment, EnrolmentState
from tests.builders.accounts import make_client, make_user
from tests.builders.groups import make_group
from tests.builders.therapists import make_therapist
from tests.conftest import _cluster
from tests.journeys.house import House, wait_for
from tests.journeys.people import PASSWORD
from tests.journeys.plain import PlainBrowser

KILLS = 20
REFUND_KILLS = 5
PRICE = 24000
CARD = {"card": "4242424242424242"}
MORTAL = ("web", "worker")

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """The processes over a fresh database, which the test looks into by itself."""
    url = f"sqlite:///{tmp_path / 'attune.sqlite3'}"
    if request.config.getoption("--database") == "postgresql":
        url = _cluster(request.config).create_database()
    house = House.over(url, tmp_path)
    house.migrate()
    with create_app(house.settings).app_context():
        yield house
        db.session.remove()
        db.engine.dispose()
    house.stop()


def test_a_crash_between_payment_and_confirmation_costs_nobody_a_seat_or_a_cent(
    house: House,
) -> None:
    group = build_a_group_for(KILLS + 1)
    house.start("sandbox", *MORTAL)
    house.wait_until_open()
    usual = time_of_an_ordinary_payment(house, group)
    unconfirmed = 0
    for number in range(1, KILLS + 1):
        unconfirmed += killed_while_paying(house, group, number, after=usual * number / KILLS)
    assert unconfirmed >= KILLS // 4, "most kills came too late to prove anything"
    come_to_rest(house)
    assert_every_seat_was_paid_once(house)
    for number in range(REFUND_KILLS):
        killed_while_giving_back(house, number, after=usual * number / REFUND_KILLS)
    come_to_rest(house)
    assert_every_leaver_got_everything_back_once(house)


def build_a_group_for(people: int) -> uuid.UUID:
    """A paid group with just enough seats, and that many clients; returns its public id."""
    at = datetime.now(UTC)
    with unit_of_work() as session:
        for number in range(people):
            user = make_user(
                session,
                address_of(number),
                roles=(Role.client,),
                password_hash=hash_password(PASSWORD),
                at=at,
            )
            make_client(session, user=user, at=at)
        lead = make_therapist(session, at=at, expires_on=at.date().replace(year=at.year + 2, day=1))
        return make_group(session, lead=lead, seats=people, price=PRICE, at=at).public_id


def time_of_an_ordinary_payment(house: House, group: uuid.UUID) -> float:
    """Seconds from paying to the confirmed seat when nobody is killed."""
    page = on_the_payment_page(house, group, 0)
    began = time.monotonic()
    pay(page)
    wait_for(lambda: state_of_seat(0) is EnrolmentState.seated, "an ordinary payment is lost")
    return time.monotonic() - began


def killed_while_paying(house: House, group: uuid.UUID, number: int, *, after: float) -> bool:
    """Pay, kill everything `after` seconds later, start again; whether it was still unconfirmed."""
    page = on_the_payment_page(house, group, number)
    kill_during(house, lambda: pay(page), after)
    unconfirmed = state_of_seat(number) is EnrolmentState.held
    house.start(*MORTAL)
    house.wait_until_open()
    wait_for(
        lambda: state_of_seat(number) is EnrolmentState.seated,
        f"the seat that was paid for in round {number} is not confirmed",
    )
    return unconfirmed


def killed_while_giving_back(house: House, number: int, *, after: float) -> None:
    """Leave, kill everything `after` seconds later, start again, and leave if that was lost."""
    browser = signed_in(house, number)
    browser.follow("Open")
    browser.follow("Leave this group")
    kill_during(house, lambda: press_come_what_may(browser, "Leave the group"), after)
    house.start(*MORTAL)
    house.wait_until_open()
    if state_of_seat(number) is EnrolmentState.seated:
        browser.open("/today")
        browser.follow("Open")
        browser.follow("Leave this group")
        browser.press("Leave the group")
    wait_for(lambda: refunds_done() > number, f"the refund of round {number} never went out")


def kill_during(house: House, act: Callable[[], None], after: float) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    time.sleep(after)
    house.kill(*MORTAL)
    thread.join(timeout=60)
    assert not thread.is_alive()


def on_the_payment_page(house: House, group: uuid.UUID, number: int) -> str:
    """Somebody signs in, takes a seat and is about to pay; returns the address of that page."""
    browser = signed_in(house, number)
    browser.open(f"/groups/{group}/enrolment")
    browser.fill("Your name in this group", f"Member {number}")
    browser.tick("I have read this and I agree")
    browser.fill("Your name, as your signature", f"Client {number}")
    browser.press("Sign and hold my seat")
    browser.press("Go to payment")
    assert browser.heading == "Pay $240", browser
    return browser.address


def signed_in(house: House, number: int) -> PlainBrowser:
    browser = PlainBrowser(house.base)
    browser.open("/sign-in")
    browser.fill("E-mail address", address_of(number))
    browser.fill("Password", PASSWORD)
    browser.press("Sign in")
    return browser


def pay(page: str) -> None:
    answer = requests.post(page, data=CARD, timeout=60, allow_redirects=False)
    assert answer.status_code == 303, answer.text


def press_come_what_may(browser: PlainBrowser, words: str) -> None:
    try:
        browser.press(words)
    except requests.ConnectionError:
        # The server was killed while it answered; that is what this is about.
        return


def come_to_rest(house: House) -> None:
    """Until every webhook has arrived and the outbox has nothing left to do."""
    wait_for(lambda: nothing_pending(house), "webhooks never arrive", within=120)
    wait_for(lambda: outbox_waiting() == 0, "the outbox never ends", within=120)
    assert count(sa.select(OutboxMessage.id).where(OutboxMessage.dead_at.is_not(None))) == 0


def nothing_pending(house: House) -> bool:
    deliveries = house.bank("/sandbox/state")["deliveries"]
    return all(one["state"] != "pending" for one in deliveries)


def outbox_waiting() -> int:
    """What is due or was tried in vain; asking about a payment once more comes later by design."""
    open_ = sa.select(OutboxMessage.id).where(OutboxMessage.done_at.is_(None))
    due = sa.or_(OutboxMessage.due_at <= datetime.now(UTC), OutboxMessage.attempts > 0)
    return count(open_.where(due))


def assert_every_seat_was_paid_once(house: House) -> None:
    charges = house.bank("/v1/charges?limit=100")["data"]
    assert len(charges) == KILLS + 1
    assert all(one["status"] == "succeeded" and one["amount"] == PRICE for one in charges)
    assert house.bank("/v1/refunds?limit=100")["data"] == []
    seated = sa.select(Enrolment.seat_number).where(Enrolment.state == EnrolmentState.seated)
    assert len(set(scalars(seated))) == count(sa.select(Enrolment.id)) == KILLS + 1
    paid = sa.select(Charge.payment_intent).join(Order).where(Order.state == OrderState.paid)
    assert sorted(scalars(paid)) == sorted(one["payment_intent"] for one in charges)


def assert_every_leaver_got_everything_back_once(house: House) -> None:
    refunds = house.bank("/v1/refunds?limit=100")["data"]
    assert [one["amount"] for one in refunds] == [PRICE] * REFUND_KILLS
    assert len({one["charge"] for one in refunds}) == REFUND_KILLS
    assert refunds_done() == count(sa.select(Refund.id)) == REFUND_KILLS
    left = sa.select(Enrolment.id).where(Enrolment.state == EnrolmentState.left)
    assert count(left) == REFUND_KILLS


def state_of_seat(number: int) -> EnrolmentState | None:
    of_client = (
        sa.select(Enrolment.state)
        .join(Client, Client.id == Enrolment.client_id)
        .join(User, User.id == Client.user_id)
        .where(has_address(address_of(number)))
    )
    return next(iter(scalars(of_client)), None)


def refunds_done() -> int:
    return count(sa.select(Refund.id).where(Refund.state == RefundState.done))


def scalars(wanted: sa.Select) -> list:  # type: ignore[type-arg]
    """Read in a transaction of its own, so that each look sees what is there now."""
    with db.engine.connect() as connection:
        return list(connection.execute(wanted).scalars())


def count(wanted: sa.Select) -> int:  # type: ignore[type-arg]
    return len(scalars(wanted))


def address_of(number: int) -> str:
    return f"client{number}@example.test"
