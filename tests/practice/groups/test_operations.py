from datetime import timedelta

import pytest
import sqlalchemy as sa

from billing.models import Order
from core.audit import AuditEntry
from core.database import db, unit_of_work
from core.errors import NotFound, WrongState
from core.outbox import OutboxMessage
from practice.consent.models import Purpose, Signature
from practice.consent.operations import revoke
from practice.consent.policy import has
from practice.groups import operations
from practice.groups.models import Enrolment, EnrolmentState, GroupKind, GroupState
from practice.groups.operations import HOLD_LASTS, Joining, ask_to_join, leave, take_seat
from practice.groups.queries import seats_left
from practice.groups.refusals import (
    GroupClosed,
    GroupFull,
    HandleTaken,
    NoLeadHere,
    RefundChanged,
    ScreeningFirst,
)
from practice.therapists.models import LicenceState
from tests.builders.accounts import make_client
from tests.builders.groups import make_enrolment, make_group
from tests.builders.therapists import make_licence, make_therapist
from tests.conftest import NOW

SIGNED = {"typed_name": "Sam Doe", "ticked": True}


def joining(handle="River", place="US-WA", **more):
    return Joining(handle=handle, place=place, evidence=SIGNED, **more)


def seat(group, client, handle="River", at=NOW, place="US-WA"):
    db.session.commit()
    with unit_of_work() as session:
        return take_seat(session, group.public_id, client, joining(handle, place), at)


def ask(group, client, handle="River"):
    db.session.commit()
    with unit_of_work() as session:
        return ask_to_join(session, group.public_id, client, joining(handle, why="Hello"), NOW)


def give_up(enrolment, client, expected=0, at=NOW):
    db.session.commit()
    with unit_of_work() as session:
        return leave(session, enrolment.public_id, client, expected, at)


def count(model) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def actions() -> list[str]:
    return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_free_seat_is_taken_at_once_with_a_signature_and_no_order(session, agreement):
    group, client = make_group(session, price=0), make_client(session)
    enrolment = seat(group, client)
    assert (enrolment.state, enrolment.seat_number) == (EnrolmentState.seated, 1)
    assert has(Purpose.group, client, group.scope)
    assert count(Order) == 0
    assert {"consent.signed", "group.seat_taken"} <= set(actions())


def test_a_paid_seat_is_held_longer_than_its_payment_page_lives(session, agreement):
    group, client = make_group(session), make_client(session)
    enrolment = seat(group, client)
    order = session.scalars(sa.select(Order)).one()
    assert enrolment.state is EnrolmentState.held
    assert enrolment.order_id == order.public_id
    assert order.amount == group.price
    assert order.expires_at < enrolment.held_until == NOW + HOLD_LASTS


def test_the_order_knows_neither_the_group_nor_the_client(session, agreement):
    group, client = make_group(session), make_client(session)
    seat(group, client)
    order = session.scalars(sa.select(Order)).one()
    assert order.reference not in {group.public_id, client.public_id, client.user.public_id}
    assert order.description == "Group programme"


def test_taking_a_seat_twice_is_taking_it_once(session, agreement):
    group, client = make_group(session), make_client(session)
    assert seat(group, client).id == seat(group, client).id
    assert count(Enrolment) == count(Order) == 1
    signed = session.scalars(sa.select(Signature).where(Signature.purpose == Purpose.group)).all()
    assert len(signed) == 1


def test_the_last_seat_gone_leaves_no_signature_behind(session, agreement):
    group, client = make_group(session, seats=1), make_client(session)
    seat(group, make_client(session))
    with pytest.raises(GroupFull):
        seat(group, client, "Other")
    assert not has(Purpose.group, client, group.scope)


def test_a_seat_number_given_up_is_given_again(session, agreement):
    group = make_group(session, seats=2, price=0)
    first, second, third = (make_client(session) for _ in range(3))
    given_up = seat(group, first, "One")
    seat(group, second, "Two")
    give_up(given_up, first)
    assert seat(group, third, "Three").seat_number == 1


@pytest.mark.parametrize(
    "columns", [{"state": GroupState.cancelled}, {"state": GroupState.draft}, {"days": 0}]
)
def test_nobody_joins_a_group_that_is_not_open_or_has_begun(session, agreement, columns, clock):
    group, client = make_group(session, **columns), make_client(session)
    with pytest.raises(GroupClosed):
        seat(group, client, at=max(NOW, group.starts_at))


def test_a_lead_must_be_licensed_where_the_client_is(session, agreement):
    group, client = make_group(session), make_client(session, place="US-OR")
    with pytest.raises(NoLeadHere):
        seat(group, client, place="US-OR")
    make_licence(session, group.professionals[0], "US-OR")
    session.commit()
    assert seat(group, client, place="US-OR").place == "US-OR"


def test_one_of_several_leads_is_enough(session, agreement):
    here, there = make_therapist(session), make_therapist(session, places=("US-OR",))
    group, client = make_group(session, leads=[here, there]), make_client(session, place="US-OR")
    assert seat(group, client, place="US-OR").has_seat


def test_a_lapse_of_the_licence_closes_the_door_to_the_second(session, agreement):
    group = make_group(session, days=400, at=NOW)
    midnight = group.professionals[0].licences[0].in_force_until
    assert seat(group, make_client(session), at=midnight - timedelta(seconds=1)).has_seat
    with pytest.raises(NoLeadHere):
        seat(group, make_client(session), "Other", at=midnight)


def test_a_suspended_licence_opens_no_seat(session, agreement):
    lead = make_therapist(session, licence_state=LicenceState.suspended)
    with pytest.raises(NoLeadHere):
        seat(make_group(session, lead=lead), make_client(session))


def test_peer_groups_know_no_borders(session, agreement):
    group = make_group(session, kind=GroupKind.peer, peers=["Ana"], price=0)
    assert seat(group, make_client(session, place="US-HI"), place="US-HI").has_seat


def test_the_place_that_is_given_is_kept_with_the_client(session, agreement):
    group, client = make_group(session), make_client(session, place="")
    seat(group, client)
    db.session.refresh(client)
    assert (client.place, client.zone) == ("US-WA", "America/Los_Angeles")


def test_two_people_of_one_group_cannot_share_a_name(session, agreement):
    group = make_group(session)
    seat(group, make_client(session), "River")
    with pytest.raises(HandleTaken):
        seat(group, make_client(session), "rIVER")
    assert seat(make_group(session), make_client(session), "River").has_seat


def test_a_therapy_group_is_screened_before_anything_is_signed_or_paid(session, agreement):
    group, client = make_group(session, kind=GroupKind.therapy), make_client(session)
    with pytest.raises(ScreeningFirst):
        seat(group, client)
    asked = ask(group, client)
    assert (asked.state, asked.seat_number) == (EnrolmentState.screening, None)
    assert count(Order) == 0
    with pytest.raises(ScreeningFirst):
        seat(group, client)


def test_asking_twice_is_asking_once(session, agreement):
    group, client = make_group(session, kind=GroupKind.therapy), make_client(session)
    assert ask(group, client).id == ask(group, client).id


def test_a_hold_that_ran_out_frees_its_seat_before_any_sweep(session, agreement):
    group = make_group(session, seats=1)
    late = seat(group, make_client(session), "Late")
    after = NOW + HOLD_LASTS
    assert (seats_left(group, NOW), seats_left(group, after)) == (0, 1)
    quick = seat(group, make_client(session), "Quick", at=after)
    db.session.refresh(late)
    assert (late.state, quick.seat_number) == (EnrolmentState.expired, 1)


def test_the_sweep_frees_holds_that_ran_out_and_no_others(session, agreement):
    group = make_group(session)
    early = seat(group, make_client(session), "Early")
    late = seat(group, make_client(session), "Late", at=NOW + timedelta(minutes=5))
    operations.expire_holds(NOW + HOLD_LASTS)
    session.refresh(early)
    session.refresh(late)
    assert (early.state, late.state) == (EnrolmentState.expired, EnrolmentState.held)
    assert actions()[-1] == "group.hold_ended"


def test_who_ran_out_of_time_can_take_the_seat_again_with_a_new_order(session, agreement):
    group, client = make_group(session), make_client(session)
    first = seat(group, client)
    old_order = first.order_id
    operations.expire_holds(NOW + HOLD_LASTS)
    again = seat(group, client, at=NOW + HOLD_LASTS)
    assert (again.id, again.state) == (first.id, EnrolmentState.held)
    assert again.order_id != old_order


def test_somebody_elses_seat_cannot_be_given_up(session, agreement):
    group = make_group(session, price=0)
    enrolment = seat(group, make_client(session))
    with pytest.raises(NotFound):
        give_up(enrolment, make_client(session))


def test_leaving_twice_is_refused(session, agreement):
    group, client = make_group(session, price=0), make_client(session)
    enrolment = seat(group, client)
    give_up(enrolment, client)
    with pytest.raises(WrongState):
        give_up(enrolment, client)


def test_leaving_is_refused_when_the_refund_is_not_what_was_shown(session, agreement):
    group, client = make_group(session, price=0), make_client(session)
    enrolment = seat(group, client)
    with pytest.raises(RefundChanged):
        give_up(enrolment, client, expected=1)


def test_withdrawing_the_consent_gives_the_seat_up(session, agreement):
    group, client = make_group(session, price=0), make_client(session)
    enrolment = seat(group, client)
    other = seat(make_group(session, price=0), client)
    signature = session.scalars(sa.select(Signature).where(Signature.scope == group.scope)).one()
    with unit_of_work() as work:
        revoke(work, work.merge(signature), client.user, NOW)
    session.refresh(enrolment)
    session.refresh(other)
    assert (enrolment.state, other.state) == (EnrolmentState.left, EnrolmentState.seated)


def test_without_the_privacy_notice_no_leader_is_left_with_a_question_and_a_seat_stays(
    session, agreement
):
    client = make_client(session)
    taken = seat(make_group(session, price=0), client)
    asked = ask(make_group(session, kind=GroupKind.therapy, price=0), client, "Reed")
    wanted = sa.select(Signature).where(Signature.purpose == Purpose.privacy_notice)
    with unit_of_work() as work:
        revoke(work, work.scalars(wanted).one(), client.user, NOW)
    session.refresh(taken)
    session.refresh(asked)
    assert (taken.state, asked.state) == (EnrolmentState.seated, EnrolmentState.left)


def test_withdrawing_another_consent_leaves_seats_alone(session, agreement):
    group, client = make_group(session, price=0), make_client(session)
    enrolment = seat(group, client)
    wanted = sa.select(Signature).where(Signature.purpose == Purpose.assessment)
    with unit_of_work() as work:
        revoke(work, work.scalars(wanted).one(), client.user, NOW)
    session.refresh(enrolment)
    assert enrolment.has_seat


def test_a_seat_number_that_is_taken_in_spite_of_the_lock_is_a_full_group(
    session, agreement, monkeypatch
):
    group = make_group(session, price=0)
    seat(group, make_client(session), "One")
    monkeypatch.setattr(operations, "free_seat", lambda *_: 1)
    with pytest.raises(GroupFull):
        seat(group, make_client(session), "Two")


def test_mails_say_neither_which_group_nor_what_it_is_about(session, agreement):
    group, client = make_group(session, kind=GroupKind.therapy), make_client(session)
    ask(group, client)
    mails = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "mail")).all()
    assert [mail.payload["to"] for mail in mails] == [group.professionals[0].user.email]
    for mail in mails:
        said = f"{mail.payload['subject']} {mail.payload['body']}".lower()
        for word in (group.title, "panic", "therapy", "river", "$", group.professionals[0].name):
            assert word.lower() not in said


def test_an_enrolment_from_before_is_not_somebody_elses_way_in(session, agreement):
    group, client = make_group(session, kind=GroupKind.therapy), make_client(session)
    make_enrolment(session, group, make_client(session), EnrolmentState.invited)
    session.commit()
    with pytest.raises(ScreeningFirst):
        seat(group, client)


@pytest.mark.parametrize("other", ["Élan", "ÉLAN", "élan"])
def test_the_same_name_is_the_same_in_every_script(session, agreement, other):
    group = make_group(session, price=0)
    seat(group, make_client(session), "Élan")
    with pytest.raises(HandleTaken):
        seat(group, make_client(session), other)
