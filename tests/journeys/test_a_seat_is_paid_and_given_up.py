"""From the catalogue to a paid seat and back: money moves once each way, names never with it."""

import json
import uuid
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from practice.accounts.models import Role
from practice.groups.models import EnrolmentState, Group, GroupKind
from tests.builders.accounts import make_client
from tests.builders.groups import make_enrolment, make_group
from tests.journeys.chromium import Chromium
from tests.journeys.people import (
    DESK,
    Anybody,
    Browse,
    add_therapist,
    add_user,
    building,
    sign,
    sign_in,
    sign_up,
)
from tests.journeys.town import Town

TITLE = "Lanterns: evenings with grief"
SUBJECT = "Something is waiting for you at Attune"
PAYS, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"
WHY = "My brother died in spring, and I do not want to be alone with it."
REASON = "Close to what this round is about; stable and curious."


def announce(town: Town, **columns: object) -> uuid.UUID:
    """A group that Rosa leads, in Washington; returns its public id."""
    with building(town) as session:
        rosa = add_therapist(town, "Rosa Almeida", session=session)
        group = make_group(
            session, lead=rosa, **{"title": TITLE, "days": 3, "at": town.clock.now()} | columns
        )
        return group.public_id


def add_client(town: Town, name: str) -> None:
    with building(town) as session:
        user = add_user(town, name, Role.client, session=session)
        make_client(session, user=user, at=town.clock.now())


def test_a_paid_seat_is_confirmed_once_and_given_up_for_the_refund_that_was_shown(
    town: Town, browse: Browse
) -> None:
    announce(town)
    before = len(town.sandbox.events())
    sam = browse()
    sign_up(town, sam, "Sam")
    find_the_group(sam)
    take_a_seat_where_the_leader_is_licensed(sam)
    pay_with_a_second_card(sam)
    see_the_seat_once_the_bank_has_answered(town, sam)
    assert_the_leader_sees_a_handle_and_an_amount(town, browse(width=DESK))
    leave_after_the_first_evening(town, sam)
    assert_the_refund_arrived_once(town, sam, before)
    assert_nothing_told_what_it_was_for(town, before)


def find_the_group(sam: Anybody) -> None:
    sam.follow("Groups")
    assert sam.sees("$240 for all 8 sessions")
    sam.follow(TITLE)
    assert sam.sees("10 seats left")
    assert sam.sees("Washington licence")
    assert sam.sees("The payment company learns that somebody paid for a group programme")


def take_a_seat_where_the_leader_is_licensed(sam: Anybody) -> None:
    sam.follow("Take a seat")
    sam.fill("Where you are", "Oregon")
    sam.fill("Your name in this group", "Riverbird")
    sam.tick("I have read this and I agree")
    sign(sam, "Sam Doe", "Sign and hold my seat")
    assert sam.sees("Nobody who leads this group is licensed where you are")
    sam.follow(TITLE)
    sam.follow("Take a seat")
    sam.fill("Where you are", "Washington")
    sam.fill("Your name in this group", "Riverbird")
    sam.press("Sign and hold my seat")
    assert sam.sees("Please tick the box if you agree.")
    sam.tick("I have read this and I agree")
    sign(sam, "Sam Doe", "Sign and hold my seat")
    assert sam.heading == "Your seat is held"


def pay_with_a_second_card(sam: Anybody) -> None:
    sam.press("Go to payment")
    assert sam.heading == "Pay $240"
    assert not sam.sees(TITLE)
    sam.tick(DECLINED)
    sam.press("Pay $240")
    assert sam.sees("The payment did not go through")
    sam.tick(PAYS)
    sam.press("Pay $240")
    assert sam.heading == "Waiting for the bank"


def see_the_seat_once_the_bank_has_answered(town: Town, sam: Anybody) -> None:
    # Coming back from the payment page proves nothing: only the bank's word does.
    sam.follow("I have not paid yet")
    assert sam.heading == "Your seat is held"
    town.settle()
    sam.follow("See whether it has arrived")
    assert sam.heading == "You have a seat"
    assert sam.sees("Paid: $240. In this group you are called Riverbird.")
    assert town.mails_to("sam@example.test")[-1].subject == SUBJECT
    sam.follow("Receipt")
    assert sam.heading == "Receipt"
    assert sam.sees("$240")
    assert not sam.sees(TITLE)
    sam.follow("Consents")
    assert sam.sees(f"Group: {TITLE}")


def assert_the_leader_sees_a_handle_and_an_amount(town: Town, rosa: Anybody) -> None:
    sign_in(rosa, "Rosa")
    rosa.follow("Groups")
    rosa.follow(TITLE)
    assert rosa.sees("1 of 10 seats")
    assert rosa.sees("Riverbird")
    assert rosa.sees("$240 paid")
    assert not rosa.sees("sam@example.test")


def leave_after_the_first_evening(town: Town, sam: Anybody) -> None:
    town.clock.move_to(first_evening(town) + timedelta(hours=12))
    sign_in(sam, "Sam")
    sam.follow("Open")
    sam.follow("Leave this group")
    assert sam.sees("You get back $210")
    sam.press("Leave the group")
    assert sam.heading == "You have left this group"
    assert sam.sees("You paid $240; $210 of it goes back to your card")


def first_evening(town: Town) -> datetime:
    with building(town) as session:
        return session.scalars(sa.select(Group.starts_at)).one()


def assert_the_refund_arrived_once(town: Town, sam: Anybody, before: int) -> None:
    town.settle()
    town.sandbox.deliver(town.post_webhook)
    town.settle()
    refunds = [
        event["data"]["object"]["amount"]
        for event in town.sandbox.events()[before:]
        if event["type"] == "refund.created"
    ]
    assert refunds == [21000]
    sam.follow("Receipt")
    assert sam.sees("Of $240, $210 goes back to you.")
    assert sam.sees("on its way to your card")


def assert_nothing_told_what_it_was_for(town: Town, before: int) -> None:
    heard = json.dumps(town.sandbox.events()[before:])
    for secret in (TITLE, "grief", "Riverbird", "Rosa", "Sam", "sam@example.test"):
        assert secret not in heard
    mails = town.mails_to("sam@example.test") + town.mails_to("rosa@example.test")
    assert all(TITLE not in mail.subject + mail.body for mail in mails)


def test_the_second_of_two_who_want_the_last_seat_is_told_plainly(
    town: Town, browse: Browse
) -> None:
    group = announce(town, seats=1, price=0)
    add_client(town, "Sam")
    add_client(town, "Kim")
    sam, kim = browse(), browse()
    for browser, name in ((sam, "Sam"), (kim, "Kim")):
        sign_in(browser, name)
        browser.open(f"/groups/{group}")
        assert browser.sees("1 seat left")
        browser.follow("Take a seat")
        browser.fill("Your name in this group", f"{name}bird")
        browser.tick("I have read this and I agree")
        browser.fill("Your name, as your signature", name)
    sam.press("Sign and take my seat")
    assert sam.heading == "You have a seat"
    kim.press("Sign and take my seat")
    assert kim.heading == "No seat this time"
    assert kim.sees(
        "The last seat has just been taken. Nothing was charged and nothing was signed."
    )
    kim.open("/consents")
    assert not kim.sees(TITLE)
    kim.open(f"/groups/{group}")
    assert kim.sees("Every seat is taken at the moment.")


def test_a_therapy_group_is_entered_through_the_leaders_screening(
    town: Town, browse: Browse
) -> None:
    group = announce(town, kind=GroupKind.therapy, price=32000)
    add_client(town, "Sam")
    add_client(town, "Kim")
    sam, kim, rosa = browse(), browse(), browse()
    for browser, name in ((sam, "Sam"), (kim, "Kim")):
        ask_to_join(browser, name, group)
    assert town.mails_to("rosa@example.test")[-1].subject == SUBJECT
    answer_both(rosa)
    assert_the_invited_one_takes_a_seat(town, sam)
    assert_the_other_is_turned_down_kindly(kim, group)
    mails = town.mails_to("sam@example.test") + town.mails_to("kim@example.test")
    assert {mail.subject for mail in mails} == {SUBJECT}
    assert all(TITLE not in mail.body and REASON not in mail.body for mail in mails)


def ask_to_join(browser: Anybody, name: str, group: uuid.UUID) -> None:
    sign_in(browser, name)
    browser.open(f"/groups/{group}")
    browser.follow("Ask to join")
    browser.fill("Your name in this group", f"{name}bird")
    browser.fill("What brings you to this group", WHY)
    browser.press("Ask the leader")
    assert browser.heading == "Your request is with the leader"


def answer_both(rosa: Anybody) -> None:
    sign_in(rosa, "Rosa")
    rosa.follow("Groups")
    assert rosa.sees("2 waiting")
    rosa.follow(TITLE)
    assert rosa.sees(WHY)
    # The first on the page asked first.
    rosa.tick("Invite them to take a seat")
    rosa.press("Answer Sambird")
    assert rosa.sees("Please say why.")
    rosa.fill("Why, for you and your co-leaders", REASON)
    rosa.press("Answer Sambird")
    rosa.tick("Not this group")
    rosa.fill("Why, for you and your co-leaders", REASON)
    rosa.press("Answer Kimbird")
    assert rosa.sees("Invited, and deciding")
    assert not rosa.sees("They ask to join")


def assert_the_invited_one_takes_a_seat(town: Town, sam: Anybody) -> None:
    sam.open("/today")
    sam.follow("Open")
    assert sam.heading == "You are invited"
    sam.follow("Take my seat")
    sam.tick("I have read this and I agree")
    sign(sam, "Sam Doe", "Sign and hold my seat")
    sam.press("Go to payment")
    sam.press("Pay $320")
    town.settle()
    if isinstance(sam, Chromium):
        # With JavaScript the page that waits moves on by itself.
        sam.page.wait_for_url("**/enrolments/*")
    else:
        sam.follow("Look again")
    assert sam.heading == "You have a seat"


def assert_the_other_is_turned_down_kindly(kim: Anybody, group: uuid.UUID) -> None:
    kim.open(f"/groups/{group}/enrolment")
    assert kim.heading == "This group is not the right one"
    assert not kim.sees(REASON)
    kim.open(f"/groups/{group}")
    assert not kim.has_link("Take a seat")


@pytest.mark.parametrize("state", [EnrolmentState.seated, EnrolmentState.held])
def test_nobody_opens_somebody_elses_seat(
    town: Town, browse: Browse, state: EnrolmentState
) -> None:
    group = announce(town)
    add_client(town, "Sam")
    with building(town) as session:
        other = make_client(session, at=town.clock.now())
        of_group = session.scalars(sa.select(Group).where(Group.public_id == group)).one()
        seat = make_enrolment(session, of_group, other, state, at=town.clock.now())
        theirs = seat.public_id
    sam = browse()
    sign_in(sam, "Sam")
    for page in ("", "/departure", "/payment"):
        sam.open(f"/enrolments/{theirs}{page}")
        assert sam.heading == "We could not find that page"
