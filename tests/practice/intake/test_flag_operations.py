"""A risky answer raises a flag once, and nothing closes unseen."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from core.outbox import OutboxMessage
from practice.accounts.models import Role
from practice.intake import duty, operations, queries
from practice.intake.flags.operations import (
    FlagClosed,
    NoContactYet,
    NotReachedYet,
    NotReadYet,
    close_flag,
    log_contact,
    read_flag,
)
from practice.intake.models import NEEDS_THEIR_WORD, ContactManner, FlagResult, RiskFlag
from practice.intake.policy import flags_visible_to
from tests.builders.accounts import make_client, make_user
from tests.builders.intake import make_duty_clinician, make_flag, make_intake, make_shift
from tests.conftest import NOW

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def clinician(session):
    return make_duty_clinician(session)


def flags_of(session):
    return session.scalars(sa.select(RiskFlag).order_by(RiskFlag.id)).all()


def mails(session):
    return [message.payload for message in session.scalars(sa.select(OutboxMessage))]


def actions(session):
    return session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()


def logged(session, flag, actor, *, reached=False):
    return log_contact(
        session, flag, actor, manner=ContactManner.telephone, reached=reached, words="", at=LATER
    )


def closed(session, flag, actor, result=FlagResult.referred_urgently):
    return close_flag(session, flag, actor, result=result, reason="Told me so.", at=LATER)


@pytest.mark.parametrize("answer", [1, 2, 3])
def test_a_risky_answer_raises_a_flag_the_moment_it_is_saved(session, answer):
    make_shift(session)
    client = make_client(session)
    intake = operations.give(session, client, "phq-9-9", answer, NOW)
    flag = flags_of(session)[0]
    assert (flag.client, flag.intake, flag.raised_at) == (client, intake, NOW)
    assert flag.raised_by == {"instrument": "phq-9", "item": 9, "answer": answer}
    assert flag.promised == duty.promise(NOW, client.zone)


@pytest.mark.parametrize("answer", [0, None])
def test_no_flag_is_raised_by_an_answer_that_is_not_risky_or_skipped(session, answer):
    operations.give(session, make_client(session), "phq-9-9", answer, NOW)
    assert flags_of(session) == []


def test_the_total_plays_no_part(session):
    make_intake(session, answers={f"phq-9-{item}": 0 for item in range(1, 9)}, phq_9_9=1)
    assert len(flags_of(session)) == 1


def test_saving_it_again_raises_no_second_flag_and_a_lower_answer_takes_none_back(session):
    flag = make_flag(session, answer=1)
    for answer in (1, 3, 0, 2):
        operations.give(session, flag.client, "phq-9-9", answer, LATER)
    assert flags_of(session) == [flag]
    assert flag.raised_by["answer"] == 1
    assert len(mails(session)) == 0


@pytest.mark.parametrize("answer", [1, 3])
def test_an_answer_given_after_the_flag_was_closed_is_not_lost(session, clinician, answer):
    flag = make_flag(session, answer=1)
    logged(session, flag, clinician)
    read_flag(session, flag, clinician, LATER)
    closed(session, flag, clinician)
    operations.give(session, flag.client, "phq-9-9", 0, LATER)
    assert flags_of(session) == [flag]
    operations.give(session, flag.client, "phq-9-9", answer, LATER)
    operations.give(session, flag.client, "phq-9-9", answer, LATER)
    assert len(flags_of(session)) == 2


def test_another_intake_raises_a_flag_of_its_own(session):
    client = make_client(session)
    make_intake(session, client, phq_9_9=1)
    operations.begin(session, client, LATER)
    assert len(flags_of(session)) == 1
    operations.give(session, client, "phq-9-9", 1, LATER)
    assert len(flags_of(session)) == 2


def test_the_clinician_on_duty_gets_one_mail_that_says_nothing(session):
    shift = make_shift(session)
    make_user(session, roles=(Role.clinical_lead,))
    flag = make_flag(session, make_client(session, preferred_name="Marisol"))
    mail = mails(session)
    assert [one["to"] for one in mail] == [shift.user.email]
    told = (mail[0]["subject"] + mail[0]["body"]).lower()
    for word in ("marisol", "flag", "risk", "phq", "danger", str(flag.public_id)):
        assert word not in told


def test_with_nobody_on_duty_the_clinical_leads_are_told(session):
    lead = make_user(session, roles=(Role.clinical_lead,))
    make_flag(session)
    assert [one["to"] for one in mails(session)] == [lead.email]


def test_the_log_does_not_say_whose_flag_was_raised(session):
    flag = make_flag(session)
    entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "flag.raised")).one()
    assert (entry.subject_id, entry.actor_id, entry.details) == (flag.public_id, None, {})


def test_nobody_closes_what_they_have_not_read(session, clinician):
    flag = make_flag(session)
    read_flag(session, flag, make_duty_clinician(session), LATER)
    logged(session, flag, clinician)
    with pytest.raises(NotReadYet):
        closed(session, flag, clinician)
    assert flag.is_open


@pytest.mark.parametrize("result", FlagResult)
def test_no_outcome_stands_without_a_try_to_reach_them(session, clinician, result):
    flag = make_flag(session)
    read_flag(session, flag, clinician, LATER)
    with pytest.raises(NoContactYet):
        closed(session, flag, clinician, result)


@pytest.mark.parametrize("result", sorted(NEEDS_THEIR_WORD))
def test_what_only_they_can_tell_us_needs_a_contact_that_reached_them(session, clinician, result):
    flag = make_flag(session)
    read_flag(session, flag, clinician, LATER)
    logged(session, flag, clinician, reached=False)
    with pytest.raises(NotReachedYet):
        closed(session, flag, clinician, result)
    logged(session, flag, clinician, reached=True)
    assert closed(session, flag, clinician, result).reason == "Told me so."


@pytest.mark.parametrize("result", sorted(set(FlagResult) - NEEDS_THEIR_WORD))
def test_other_outcomes_need_a_logged_try(session, clinician, result):
    flag = make_flag(session)
    read_flag(session, flag, clinician, LATER)
    logged(session, flag, clinician)
    assert closed(session, flag, clinician, result).user is clinician
    assert not flag.is_open
    assert actions(session)[-1] == "flag.closed"


def test_a_closed_flag_takes_neither_a_second_outcome_nor_another_contact(session, clinician):
    flag = make_flag(session)
    read_flag(session, flag, clinician, LATER)
    logged(session, flag, clinician)
    closed(session, flag, clinician)
    with pytest.raises(FlagClosed):
        closed(session, flag, clinician)
    with pytest.raises(FlagClosed):
        logged(session, flag, clinician)


def test_each_opening_is_in_the_audit_and_the_first_on_the_flag(session, clinician):
    flag = make_flag(session)
    read_flag(session, flag, clinician, NOW)
    read_flag(session, flag, clinician, LATER)
    assert [(one.user, one.read_at) for one in flag.readings] == [(clinician, NOW)]
    assert actions(session).count("flag.viewed") == 2


def test_flags_wait_oldest_first_and_closed_ones_are_listed_apart(session, clinician):
    late = make_flag(session, at=LATER)
    early = make_flag(session, at=NOW)
    done = make_flag(session, at=NOW - timedelta(days=1))
    read_flag(session, done, clinician, NOW)
    logged(session, done, clinician)
    closed(session, done, clinician)
    assert queries.open_flags(clinician) == [early, late]
    assert queries.open_flag_count(clinician) == 2
    assert queries.handled_flags(clinician, 1).flags == [done]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.duty_clinician, Role.clinical_lead}))
def test_no_other_role_sees_a_flag(session, role):
    make_flag(session)
    assert session.scalars(flags_visible_to(make_user(session, roles=(role,)))).all() == []


def test_a_clinician_does_not_read_a_flag_about_themselves(session):
    user = make_user(session, roles=(Role.client, Role.duty_clinician))
    make_flag(session, make_client(session, user=user))
    assert session.scalars(flags_visible_to(user)).all() == []
