from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from billing.models import Charge, Order, Refund
from billing.operations import CHECKOUT_LASTS
from core.database import db, unit_of_work
from core.mail import KeptMail
from core.outbox import drain
from practice.consent.models import Purpose, Signature
from practice.consent.operations import revoke
from practice.groups.models import Enrolment, EnrolmentState, GroupState
from practice.groups.operations import HOLD_LASTS
from practice.wiring import sweep
from tests.builders.accounts import make_client, sign_in
from tests.builders.groups import make_enrolment, make_group
from tests.builders.sealed import opened

SEAT = {"handle": "River", "agreed": "y", "typed_name": "Sam Doe"}


@pytest.fixture
def group(session, agreement):
    return make_group(session)


@pytest.fixture
def client(session, http, group):
    client = make_client(session, consents=False)
    sign_in(http, client.user)
    return client


@pytest.fixture
def held(http, group, client) -> str:
    """The address of a held seat."""
    return take(http, group)


def take(http, group) -> str:
    return http.post(f"/groups/{group.public_id}/enrolment", data=SEAT).location


def become(session, http, user):
    """Sign in as somebody else; a read left open would be too old to write after."""
    session.rollback()
    sign_in(http, user)


def words(answer) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").main.get_text(" ").split())


def heading(answer) -> str:
    return BeautifulSoup(answer.text, "html.parser").h1.text


def the(session, model):
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(model)).one()


def count(session, model) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(model))


def pay(http, held, bank, session):
    """All of it: to the payment page, the card, and the word of the bank."""
    assert http.post(f"{held}/payment").status_code == 303
    bank.pay(the(session, Order).public_id)
    assert {attempt.status for attempt in bank.deliver()} == {200}


def test_the_seat_is_confirmed_by_the_bank_and_shown_with_its_receipt(session, http, bank, held):
    pay(http, held, bank, session)
    answer = http.get(f"{held}/payment", follow_redirects=True)
    assert heading(answer) == "You have a seat"
    assert "Paid: $240" in words(answer)
    enrolment = the(session, Enrolment)
    assert enrolment.state is EnrolmentState.seated
    assert enrolment.held_until is None


def test_coming_back_from_the_payment_page_proves_nothing(session, http, bank, held):
    http.post(f"{held}/payment")
    answer = http.get(f"{held}/payment")
    assert heading(answer) == "Waiting for the bank"
    assert "Look again" in words(answer)
    assert the(session, Enrolment).state is EnrolmentState.held


def test_the_button_leads_to_the_payment_companys_page(session, http, bank, held):
    answer = http.post(f"{held}/payment")
    assert answer.status_code == 303
    assert answer.location == the(session, Order).checkout_url


def test_fifty_clicks_on_pay_are_one_payment_page_and_one_charge(session, http, bank, held):
    pages = {http.post(f"{held}/payment").location for _ in range(50)}
    assert len(pages) == 1
    bank.pay(the(session, Order).public_id)
    bank.deliver()
    assert bank.count("charge.succeeded") == count(session, Charge) == 1


def test_paying_again_after_it_was_paid_leads_back_to_the_seat(session, http, bank, held):
    pay(http, held, bank, session)
    assert http.post(f"{held}/payment").location.endswith(held)


@pytest.mark.parametrize("order", ["created", "reverse", "shuffle"])
def test_each_webhook_twice_in_any_order_is_one_seat_and_one_charge(
    session, http, bank, held, order
):
    http.post(f"{held}/payment")
    bank.pay(the(session, Order).public_id)
    bank.sandbox.repeat()
    bank.sandbox.order(order)
    bank.deliver()
    bank.sandbox.repeat()
    bank.deliver()
    bank.carry_out()
    assert the(session, Enrolment).state is EnrolmentState.seated
    assert count(session, Charge) == 1
    assert bank.given_back() == 0


def test_what_the_payment_company_is_told_names_neither_person_nor_group(
    session, http, bank, held, group, client
):
    pay(http, held, bank, session)
    said = str(bank.sandbox.events()).lower()
    for secret in (
        group.title,
        "panic",
        "breathing",
        "river",
        client.user.email,
        str(client.public_id),
        str(group.public_id),
        group.professionals[0].name,
    ):
        assert secret.lower() not in said
    assert "group programme" in said


def test_when_the_payment_company_does_not_answer_the_seat_stays_held(session, http, bank, held):
    bank.sandbox.fail_next("503", path="/v1/checkout", times=1)
    answer = http.post(f"{held}/payment", follow_redirects=True)
    assert "could not be opened" in words(answer)
    assert heading(answer) == "Your seat is held"
    assert http.post(f"{held}/payment").location == the(session, Order).checkout_url


def test_an_error_that_would_be_replayed_is_met_with_a_fresh_order(session, http, bank, held):
    bank.sandbox.fail_next("500", path="/v1/checkout", times=1)
    http.post(f"{held}/payment")
    answer = http.post(f"{held}/payment")
    assert answer.location.startswith("http://sandbox.localhost/pay/")
    bank.pay(the(session, Enrolment).order_id)
    bank.deliver()
    assert the(session, Enrolment).state is EnrolmentState.seated


def test_a_hold_cannot_be_prolonged_by_asking_for_payment_again(session, http, bank, held, clock):
    http.post(f"{held}/payment")
    until = the(session, Enrolment).held_until
    clock.move(CHECKOUT_LASTS + timedelta(minutes=2))
    bank.carry_out()
    answer = http.post(f"{held}/payment", follow_redirects=True)
    assert "can no longer be made" in words(answer)
    assert the(session, Enrolment).held_until == until


def test_nobody_can_pay_any_more_for_a_hold_that_ran_out(session, http, bank, held, clock, app):
    http.post(f"{held}/payment")
    order_id = the(session, Order).public_id
    clock.move(HOLD_LASTS)
    sweep(app, clock.now())
    bank.carry_out()
    assert bank.sandbox.session(bank.checkout_of(order_id))["status"] == "expired"
    assert "was not paid in time" in words(http.get(held))


def late(session, http, bank, held, clock, app):
    """Money that was on its way when the hold ran out."""
    http.post(f"{held}/payment")
    bank.pay(the(session, Order).public_id)
    clock.move(HOLD_LASTS)
    sweep(app, clock.now())
    assert the(session, Enrolment).state is EnrolmentState.expired


def test_late_money_gets_a_seat_if_one_is_free(session, http, bank, held, clock, app):
    late(session, http, bank, held, clock, app)
    bank.deliver()
    bank.carry_out()
    assert the(session, Enrolment).state is EnrolmentState.seated
    assert bank.given_back() == 0


def test_late_money_goes_back_whole_when_the_seat_is_gone(
    session, http, bank, held, clock, app, group
):
    late(session, http, bank, held, clock, app)
    group.seats = 1
    make_enrolment(session, group, make_client(session), seat_number=1)
    session.commit()
    bank.deliver()
    bank.carry_out()
    assert bank.given_back() == 24000
    assert "$240 goes back to your card" in words(http.get(held))


def test_late_money_for_a_group_that_was_called_off_goes_back_whole(
    session, http, bank, held, clock, app, group, client
):
    http.post(f"{held}/payment")
    bank.pay(the(session, Order).public_id)
    become(session, http, group.professionals[0].user)
    http.post(f"/led-groups/{group.public_id}/cancellation")
    bank.deliver()
    bank.carry_out()
    assert bank.given_back() == 24000


def test_money_for_a_seat_that_was_given_up_meanwhile_goes_back_whole(
    session, http, bank, held, clock
):
    http.post(f"{held}/payment")
    bank.pay(the(session, Order).public_id)
    http.post(f"{held}/departure", data={"expected": "0"})
    bank.deliver()
    bank.carry_out()
    bank.deliver()
    assert bank.given_back() == 24000
    assert the(session, Enrolment).state is EnrolmentState.left


def test_money_for_an_order_that_was_replaced_goes_back_whole(
    session, http, bank, held, clock, app, group
):
    late(session, http, bank, held, clock, app)
    assert take(http, group).endswith(held)
    bank.deliver()
    bank.carry_out()
    assert bank.given_back() == 24000
    assert the(session, Enrolment).state is EnrolmentState.held


def test_leaving_before_the_start_brings_everything_back_once(session, http, bank, held):
    pay(http, held, bank, session)
    assert "You get back $240" in words(http.get(f"{held}/departure"))
    for _ in range(2):
        http.post(f"{held}/departure", data={"expected": "24000"})
    bank.carry_out()
    bank.deliver()
    assert bank.given_back() == 24000
    assert the(session, Refund).amount == 24000
    assert "$240 of it goes back" in words(http.get(held))


def test_leaving_after_the_second_evening_began_brings_back_its_share(
    session, http, bank, held, clock, group, client
):
    pay(http, held, bank, session)
    clock.move_to(group.sessions[1].starts_at)
    become(session, http, client.user)
    assert "You get back $180" in words(http.get(f"{held}/departure"))
    http.post(f"{held}/departure", data={"expected": "18000"})
    bank.carry_out()
    assert bank.given_back() == 18000


def test_a_refund_shown_before_a_session_began_is_shown_anew_after(
    session, http, bank, held, clock, group, client
):
    pay(http, held, bank, session)
    clock.move_to(group.starts_at)
    become(session, http, client.user)
    answer = http.post(f"{held}/departure", data={"expected": "24000"}, follow_redirects=True)
    assert "You get back $210" in words(answer)
    assert the(session, Enrolment).state is EnrolmentState.seated


def test_a_group_called_off_after_half_of_it_gives_everything_back(
    session, http, bank, held, clock, group
):
    pay(http, held, bank, session)
    clock.move_to(group.sessions[4].starts_at)
    become(session, http, group.professionals[0].user)
    http.post(f"/led-groups/{group.public_id}/cancellation")
    bank.carry_out()
    assert bank.given_back() == 24000


def test_the_leader_sees_amounts_and_nothing_else_of_a_payment(session, http, bank, held, group):
    pay(http, held, bank, session)
    order = the(session, Order)
    become(session, http, group.professionals[0].user)
    answer = http.get(f"/led-groups/{group.public_id}")
    assert "$240 paid" in words(answer)
    for secret in (str(order.public_id), order.checkout_id, order.charge.payment_intent):
        assert secret not in answer.text


def test_the_receipt_says_what_was_paid_and_what_went_back_and_names_no_group(
    session, http, bank, held, group, client
):
    pay(http, held, bank, session)
    clocked = f"/receipts/{the(session, Order).public_id}"
    http.post(f"{held}/departure", data={"expected": "24000"})
    bank.carry_out()
    answer = http.get(clocked)
    for said in ("Group programme", "$240", "1 December 2026", "on its way to your card"):
        assert said in words(answer)
    for secret in (group.title, "panic", group.professionals[0].name):
        assert secret.lower() not in answer.text.lower()


def test_a_receipt_is_for_who_paid(session, http, bank, held, group):
    pay(http, held, bank, session)
    address = f"/receipts/{the(session, Order).public_id}"
    sign_in(http, make_client(session).user)
    assert http.get(address).status_code == 404
    become(session, http, group.professionals[0].user)
    assert http.get(address).status_code == 404


def test_there_is_no_receipt_before_there_is_money(session, http, bank, held):
    assert http.get(f"/receipts/{the(session, Order).public_id}").status_code == 404


def test_mails_about_money_name_no_amount_and_no_group(
    session, http, bank, held, app, clock, group
):
    pay(http, held, bank, session)
    http.post(f"{held}/departure", data={"expected": "24000"})
    bank.carry_out()
    drain(app, clock.now())
    with app.app_context():
        mails = opened(db.session.scalars(sa.select(KeptMail)))
    assert len(mails) == 2
    for mail in mails:
        said = f"{mail.subject} {mail.body}".lower()
        for secret in ("240", group.title.lower(), "panic", "refund", "group"):
            assert secret not in said


def test_a_stranger_cannot_pay_for_somebodys_seat(session, http, bank, held):
    sign_in(http, make_client(session).user)
    assert http.post(f"{held}/payment").status_code == 404


def test_late_money_seats_nobody_who_took_the_consent_back(
    session, http, bank, held, clock, app, client
):
    late(session, http, bank, held, clock, app)
    session.rollback()
    wanted = sa.select(Signature).where(Signature.purpose == Purpose.group)
    with unit_of_work() as work:
        revoke(work, work.scalars(wanted).one(), client.user, clock.now())
    bank.deliver()
    bank.carry_out()
    assert the(session, Enrolment).state is EnrolmentState.expired
    assert bank.given_back() == 24000


def test_late_money_seats_nobody_under_a_name_that_is_somebody_elses_now(
    session, http, bank, held, clock, app, group
):
    late(session, http, bank, held, clock, app)
    make_enrolment(session, group, make_client(session), handle="RIVER", seat_number=2)
    session.commit()
    bank.deliver()
    bank.carry_out()
    assert bank.given_back() == 24000


def test_who_reads_for_a_while_before_paying_gets_the_payment_page_at_once(
    session, http, bank, held, clock
):
    clock.move(timedelta(minutes=20))
    answer = http.post(f"{held}/payment")
    assert answer.location.startswith("http://sandbox.localhost/pay/")
    enrolment = the(session, Enrolment)
    assert enrolment.held_until == clock.now() + HOLD_LASTS
    bank.carry_out()
    bank.pay(enrolment.order_id)
    bank.deliver()
    assert the(session, Enrolment).state is EnrolmentState.seated
    assert bank.count("charge.succeeded") == count(session, Charge) == 1


def test_nothing_is_promised_about_money_that_may_be_on_its_way(
    session, http, bank, held, clock, app
):
    late(session, http, bank, held, clock, app)
    assert "Nothing was charged" not in words(http.get(held))
    assert "Your seat is held" not in words(http.get(f"{held}/payment"))


def test_a_seat_given_up_while_its_page_is_open_speaks_of_money_on_its_way(
    session, http, bank, held
):
    http.post(f"{held}/payment")
    bank.pay(the(session, Order).public_id)
    assert "Nothing was charged" not in words(http.get(f"{held}/departure"))
    answer = http.post(f"{held}/departure", data={"expected": "0"}, follow_redirects=True)
    assert "Nothing was charged" not in words(answer)
    assert "all of it goes back" in words(answer)


def test_who_left_before_a_group_was_called_off_reads_what_really_goes_back(
    session, http, bank, held, clock, group, client
):
    pay(http, held, bank, session)
    clock.move(timedelta(days=20))
    become(session, http, client.user)
    http.post(f"{held}/departure", data={"expected": "18000"})
    session.rollback()
    group.state = GroupState.cancelled
    session.commit()
    said = words(http.get(held))
    assert "Everything you paid goes back" not in said
    assert "$180 of it goes back" in said
