from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from practice.accounts import factor_resets
from practice.accounts.factor_resets import DELAY
from practice.accounts.models import AuthenticatorApp, FactorReset, FactorResetState, Role
from practice.accounts.passwords import hash_password
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.second_factors import give_app, give_recovery_codes
from tests.practice.accounts.mailbox import link_in, mails_to

ADDRESS = "sam@example.test"
PASSWORD = "tea in the rain"
REASON = "They rang from the number we have, and named their last meeting."
PAGE = "/oversight/lost-second-factors"


@pytest.fixture
def lost(session):
    """Somebody whose app is gone, with their telephone."""
    user = make_user(session, ADDRESS, password_hash=hash_password(PASSWORD))
    give_app(session, user)
    give_recovery_codes(session, user)
    client = make_client(session, user=user)
    session.commit()
    return client.user


@pytest.fixture
def administrators(app, session):
    app.config["WTF_CSRF_ENABLED"] = False
    pair = [app.test_client(), app.test_client()]
    for browser in pair:
        sign_in(browser, make_user(session, roles=[Role.administrator]))
    return pair


@pytest.fixture
def asked(administrators, session, lost):
    administrators[0].post(PAGE, data={"email": ADDRESS, "reason": REASON})
    look_again(session)
    return session.scalars(sa.select(FactorReset)).one()


def has_app(session) -> bool:
    look_again(session)
    return session.scalars(sa.select(AuthenticatorApp)).first() is not None


def carry_out_due(session, clock) -> None:
    look_again(session)
    factor_resets.carry_out_due(clock.now())


def confirm(browser, reset):
    return browser.post(f"{PAGE}/{reset.public_id}/confirmation", follow_redirects=True)


def test_one_asks_another_confirms_and_after_a_day_the_password_alone_signs_in(
    administrators, session, clock, app, asked
):
    confirm(administrators[1], asked)
    mail = mails_to(session, ADDRESS)[-1]
    assert "will be removed" in mail["subject"]
    assert REASON not in mail["body"]
    clock.move(DELAY - timedelta(seconds=1))
    carry_out_due(session, clock)
    assert has_app(session)
    clock.move(timedelta(seconds=1))
    carry_out_due(session, clock)
    assert not has_app(session)
    owner = app.test_client()
    answer = owner.post("/sign-in", data={"email": ADDRESS, "password": PASSWORD})
    assert answer.location == "/today"


def test_whoever_asked_cannot_confirm(administrators, session, asked):
    page = confirm(administrators[0], asked)
    assert "cannot confirm it as well" in page.text
    look_again(session)
    assert asked.state is FactorResetState.asked


def test_nothing_goes_while_only_one_has_asked(session, clock, asked):
    clock.move(DELAY * 3)
    carry_out_due(session, clock)
    assert has_app(session)


def test_the_owner_stops_it_from_the_mail(administrators, app, session, clock, asked):
    confirm(administrators[1], asked)
    link = link_in(mails_to(session, ADDRESS)[-1])
    owner = app.test_client()
    assert owner.get(link).status_code == 200
    assert owner.post(link).status_code == 303
    assert owner.post(link).status_code == 410
    clock.move(DELAY)
    carry_out_due(session, clock)
    assert has_app(session)
    look_again(session)
    assert asked.state is FactorResetState.stopped


def test_an_administrator_stops_it_too(administrators, session, clock, asked):
    confirm(administrators[1], asked)
    assert administrators[1].post(f"{PAGE}/{asked.public_id}/stop").status_code == 303
    clock.move(DELAY)
    carry_out_due(session, clock)
    assert has_app(session)


def test_nobody_asks_for_themselves(http, session):
    user = make_user(session, ADDRESS, roles=[Role.administrator])
    give_app(session, user)
    sign_in(http, user)
    answer = http.post(PAGE, data={"email": ADDRESS, "reason": REASON})
    assert answer.status_code == 422
    assert "their own" in answer.text


def test_nobody_confirms_the_removal_of_their_own(administrators, session):
    second = make_user(session, ADDRESS, roles=[Role.administrator])
    give_app(session, second)
    sign_in(administrators[1], second)
    administrators[0].post(PAGE, data={"email": ADDRESS, "reason": REASON})
    look_again(session)
    reset = session.scalars(sa.select(FactorReset)).one()
    assert "their own" in confirm(administrators[1], reset).text
    look_again(session)
    assert reset.state is FactorResetState.asked


@pytest.mark.parametrize("typed", [{"email": ADDRESS}, {"reason": REASON}])
def test_address_and_reason_are_both_asked_for_and_what_was_typed_stays(
    administrators, lost, typed
):
    answer = administrators[0].post(PAGE, data=typed)
    assert answer.status_code == 422
    assert next(iter(typed.values())) in answer.text


def test_an_address_without_a_second_factor_is_refused(administrators, session):
    make_user(session, "kim@example.test")
    session.commit()
    for email in ("kim@example.test", "nobody@example.test"):
        answer = administrators[0].post(PAGE, data={"email": email, "reason": REASON})
        assert "Nobody with this address" in answer.text


def test_asking_twice_is_one_request(administrators, session, asked):
    answer = administrators[1].post(PAGE, data={"email": ADDRESS, "reason": REASON})
    assert "asked for already" in answer.text


@pytest.mark.parametrize("role", [Role.client, Role.therapist, Role.duty_clinician])
def test_nobody_else_finds_the_page(http, session, role, asked):
    sign_in(http, make_user(session, roles=[role]))
    assert http.get(PAGE).status_code == 404
    assert confirm(http, asked).status_code == 404


def test_each_step_is_written_down_for_the_client_it_concerns(
    administrators, session, clock, lost, asked
):
    confirm(administrators[1], asked)
    clock.move(DELAY)
    carry_out_due(session, clock)
    look_again(session)
    rows = session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.action.like("factor_reset.%"))
        .order_by(AuditEntry.id)
    ).all()
    assert [row.action.split(".")[1] for row in rows] == ["asked", "confirmed", "done"]
    assert all(row.client_id == lost.client.public_id for row in rows)
    assert REASON not in str([row.details for row in rows])
