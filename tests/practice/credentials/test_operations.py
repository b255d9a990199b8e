"""What may be decided, by whom, and on what evidence."""

import dataclasses
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from core.errors import WrongState
from core.outbox import OutboxMessage
from practice.accounts.models import Role
from practice.accounts.two_people import NEW_FOR, OneHand, SecondPersonNeeded, require_two
from practice.credentials import operations
from practice.credentials.comparing import GOOD_FOR
from practice.credentials.models import Decision, LicenceCheck
from practice.credentials.operations import (
    AlreadyProposed,
    NotReady,
    OwnApplication,
    VerifiedElsewhere,
    hash_of,
)
from practice.credentials.queries import declared_elsewhere
from practice.therapists.models import ApplicationState, LicenceState
from practice.therapists.operations import LicenceDetails, change_licence
from practice.therapists.queries import has_authority
from tests.builders.credentials import (
    check_licence,
    check_npi,
    finding_about,
    make_administrator,
    make_applicant,
)
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

DAY = timedelta(days=1)


def decide(session, subject, to, actor, **values):
    return operations.decide(
        session, subject, to, **{"reason": "Looked at it.", "actor": actor, "at": NOW} | values
    )


def verified_licence(session, therapist, actor):
    (licence,) = therapist.licences
    check_licence(session, licence, actor)
    decide(session, licence, "verified", actor)
    return licence


def test_evidence_that_agrees_lets_a_therapist_be_verified_and_found(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    licence = verified_licence(session, therapist, actor)
    assert not has_authority(therapist.id, "US-WA", NOW)
    check_npi(session, therapist, actor)
    decide(session, therapist.application, "verified", actor)
    assert has_authority(therapist.id, "US-WA", NOW)
    assert (licence.found_source, licence.found_at) == ("The state board", NOW - DAY)
    assert therapist.npi_checked_at == NOW - DAY


def test_a_licence_that_was_not_looked_up_is_not_verified(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    with pytest.raises(NotReady) as refused:
        decide(session, therapist.licences[0], "verified", actor)
    assert refused.value.faults == ["Nothing has been looked up yet."]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"found_number": "ANOTHER 1"}, "another number"),
        ({"found_expires_on": date(2026, 12, 31)}, "another last day"),
        ({"found_expires_on": None}, "another last day"),
        ({"found_name": "SOMEBODY ELSE"}, "another name"),
        ({"discipline": True}, "discipline"),
        ({"retrieved_at": NOW - GOOD_FOR - timedelta(seconds=1)}, "more than 120 days old"),
    ],
)
def test_a_difference_or_old_evidence_refuses_verifying_in_words(session, found, said):
    actor, therapist = make_administrator(session), make_applicant(session)
    (licence,) = therapist.licences
    check_licence(session, licence, actor, **found)
    with pytest.raises(NotReady) as refused:
        decide(session, licence, "verified", actor)
    assert len(refused.value.faults) == 1
    assert said in refused.value.faults[0]
    assert licence.state is LicenceState.in_review


def test_evidence_is_good_on_its_hundred_and_twentieth_day(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    (licence,) = therapist.licences
    check_licence(session, licence, actor, retrieved_at=NOW - GOOD_FOR)
    decide(session, licence, "verified", actor)
    assert licence.state is LicenceState.verified


def test_only_the_newest_look_up_counts(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    (licence,) = therapist.licences
    check_licence(session, licence, actor)
    check_licence(session, licence, actor, discipline=True, at=NOW + DAY)
    with pytest.raises(NotReady):
        decide(session, licence, "verified", actor)


def test_another_name_can_be_explained_but_another_number_cannot(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    (licence,) = therapist.licences
    married = {"found_name": "ROSA BRANCO", "same_person": "Marriage certificate seen."}
    check_licence(session, licence, actor, **married, found_number="ANOTHER 1")
    with pytest.raises(NotReady):
        decide(session, licence, "verified", actor)
    check_licence(session, licence, actor, **married)
    decide(session, licence, "verified", actor)
    assert licence.state is LicenceState.verified


def test_evidence_from_before_a_change_does_not_count(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    licence = verified_licence(session, therapist, actor)
    details = declared(licence, board="Another board")
    later = NOW + DAY
    change_licence(session, licence, details, actor=therapist.user, at=later)
    operations.take_up(session, therapist.application, actor=actor, at=later)
    with pytest.raises(NotReady) as refused:
        decide(session, licence, "verified", actor, at=later)
    assert refused.value.faults == ["The licence was changed after it was looked up."]


def declared(licence, **changes):
    names = [field.name for field in dataclasses.fields(LicenceDetails)]
    return LicenceDetails(**{name: getattr(licence, name) for name in names} | changes)


def test_a_licence_that_has_run_out_is_not_verified(session):
    actor = make_administrator(session)
    therapist = make_applicant(session, expires_on=date(2026, 11, 29))
    (licence,) = therapist.licences
    check_licence(session, licence, actor)
    with pytest.raises(NotReady) as refused:
        decide(session, licence, "verified", actor)
    assert refused.value.faults == ["The licence has run out."]


def test_an_application_needs_an_npi_that_was_looked_up_and_a_verified_licence(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    with pytest.raises(NotReady) as refused:
        decide(session, therapist.application, "verified", actor)
    assert refused.value.faults == [
        "The NPI has not been looked up.",
        "No licence has been verified and is in force.",
    ]


@pytest.mark.parametrize(
    "found", [{"found_name": "SOMEBODY ELSE"}, {"retrieved_at": NOW - GOOD_FOR - DAY}]
)
def test_an_npi_that_differs_or_is_old_is_neither_verified_nor_shown_as_such(session, found):
    actor, therapist = make_administrator(session), make_applicant(session)
    verified_licence(session, therapist, actor)
    check_npi(session, therapist, actor, **found)
    assert therapist.npi_checked_at is None
    with pytest.raises(NotReady):
        decide(session, therapist.application, "verified", actor)


def test_an_associate_needs_a_supervisor_who_agreed_and_is_licensed_there(session):
    actor = make_administrator(session)
    elsewhere = make_therapist(session, "Senior Elsewhere", places=("US-NY",))
    here = make_therapist(session, "Senior Here")
    therapist = make_applicant(session, supervisor=elsewhere)
    verified_licence(session, therapist, actor)
    check_npi(session, therapist, actor)
    with pytest.raises(NotReady, match="no licence in force in the same place"):
        decide(session, therapist.application, "verified", actor)
    therapist.supervisor, therapist.supervisor_confirmed_at = here, None
    with pytest.raises(NotReady, match="has not agreed"):
        decide(session, therapist.application, "verified", actor)
    therapist.supervisor_confirmed_at = NOW
    decide(session, therapist.application, "verified", actor)
    assert has_authority(therapist.id, "US-WA", NOW)


def own_take_up(session, therapist, me):
    operations.take_up(session, therapist.application, actor=me, at=NOW)


def own_check(session, therapist, me):
    check_licence(session, therapist.licences[0], me)


def own_npi(session, therapist, me):
    check_npi(session, therapist, me)


def own_decision(session, therapist, me):
    decide(session, therapist.licences[0], "rejected", me)


def own_reversal(session, therapist, me):
    therapist.application.state = ApplicationState.rejected
    operations.propose_reversal(
        session, therapist.application, "in_review", reason="Me.", actor=me, at=NOW
    )


@pytest.mark.parametrize("act", [own_take_up, own_check, own_npi, own_decision, own_reversal])
def test_nobody_works_on_their_own_application(session, act):
    me = make_administrator(session)
    therapist = make_applicant(session, user=me)
    with pytest.raises(OwnApplication):
        act(session, therapist, me)


def test_a_number_is_verified_for_one_person_only(session):
    actor = make_administrator(session)
    first, second = make_applicant(session, "Rosa Almeida"), make_applicant(session, "Ada Berg")
    second.licences[0].number = first.licences[0].number
    verified_licence(session, first, actor)
    check_licence(session, second.licences[0], actor)
    with pytest.raises(VerifiedElsewhere):
        decide(session, second.licences[0], "verified", actor)


def test_to_suspend_takes_one_person_and_works_at_once(session):
    actor, therapist = make_administrator(session), make_therapist(session)
    decide(session, therapist.licences[0], "suspended", actor, missing="We heard something.")
    assert not has_authority(therapist.id, "US-WA", NOW)


@pytest.mark.parametrize(
    ("state", "to"),
    [
        (LicenceState.rejected, "in_review"),
        (LicenceState.suspended, "in_review"),
        (LicenceState.verified, "revoked"),
        (LicenceState.suspended, "surrendered"),
    ],
)
def test_to_undo_a_decision_takes_two(session, state, to):
    first, second = make_administrator(session, "First"), make_administrator(session, "Second")
    (licence,) = make_therapist(session, licence_state=state).licences
    with pytest.raises(WrongState):
        decide(session, licence, to, first)
    propose = {"reason": "New facts.", "at": NOW}
    reversal = operations.propose_reversal(session, licence, to, actor=first, **propose)
    assert licence.state is state, "a proposal changes nothing"
    with pytest.raises(SecondPersonNeeded):
        operations.answer_reversal(session, reversal, licence, confirms=True, actor=first, at=NOW)
    with pytest.raises(AlreadyProposed):
        operations.propose_reversal(session, licence, to, actor=second, **propose)
    operations.answer_reversal(session, reversal, licence, confirms=True, actor=second, at=NOW)
    assert licence.state == to
    decision = session.scalars(sa.select(Decision)).one()
    assert (decision.decided_by, decision.confirmed_by) == (first, second)
    with pytest.raises(WrongState):
        operations.answer_reversal(session, reversal, licence, confirms=True, actor=second, at=NOW)


def test_an_administrator_whom_the_first_one_made_alone_is_no_second_person_for_a_week(session):
    first, second = make_administrator(session, "First"), make_administrator(session, "Second")
    [row] = second.role_rows
    row.granted_at, row.granted_by_id = NOW, first.id
    (licence,) = make_therapist(session, licence_state=LicenceState.verified).licences
    reversal = operations.propose_reversal(
        session, licence, "revoked", reason="New facts.", actor=first, at=NOW
    )

    def confirm(at):
        answer = {"confirms": True, "actor": second, "at": at}
        operations.answer_reversal(session, reversal, licence, **answer)

    with pytest.raises(SecondPersonNeeded):
        confirm(NOW + NEW_FOR - timedelta(seconds=1))
    confirm(NOW + NEW_FOR)
    assert licence.state is LicenceState.revoked


def test_for_a_week_a_new_therapist_is_the_hand_of_who_verified_them(session):
    """Else an administrator's own mailbox, signed up as a therapist, would be a second person."""
    actor, other = make_administrator(session, "First"), make_administrator(session, "Second")
    therapist = make_applicant(session)
    verified_licence(session, therapist, actor)
    check_npi(session, therapist, actor)
    decide(session, therapist.application, "verified", actor)
    roles = {"asks_as": [Role.therapist]}
    require_two(session, therapist.user, other, NOW, **roles)
    with pytest.raises(OneHand):
        require_two(session, therapist.user, actor, NOW + NEW_FOR - timedelta(seconds=1), **roles)
    require_two(session, therapist.user, actor, NOW + NEW_FOR, **roles)


def test_a_second_person_may_disagree_and_nothing_changes(session):
    first, second = make_administrator(session), make_administrator(session)
    application = make_therapist(session, state=ApplicationState.rejected).application
    values = {"reason": "New facts.", "actor": first, "at": NOW}
    reversal = operations.propose_reversal(session, application, "in_review", **values)
    operations.answer_reversal(session, reversal, application, confirms=False, actor=second, at=NOW)
    assert application.state is ApplicationState.rejected
    assert session.scalars(sa.select(Decision)).all() == []
    operations.propose_reversal(session, application, "in_review", **values)


def test_a_proposal_that_the_world_has_overtaken_does_nothing(session):
    first, second = make_administrator(session), make_administrator(session)
    (licence,) = make_therapist(session).licences
    reversal = operations.propose_reversal(
        session, licence, "revoked", reason="The board says so.", actor=first, at=NOW
    )
    change_licence(
        session,
        licence,
        declared(licence, number="NEW 1"),
        actor=licence.therapist.user,
        at=NOW,
    )
    with pytest.raises(WrongState):
        operations.answer_reversal(session, reversal, licence, confirms=True, actor=second, at=NOW)


def test_to_ask_for_more_tells_the_therapist_what_and_mails_nothing_but_a_hint(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    (licence,) = therapist.licences
    decide(session, licence, "needs_info", actor, missing="The date differs from the board’s.")
    assert licence.asked == "The date differs from the board’s."
    mail = session.scalars(sa.select(OutboxMessage)).one().payload
    assert mail["to"] == therapist.user.email
    assert "waiting" in mail["subject"]
    for secret in (licence.number, "date differs", therapist.name):
        assert secret not in mail["subject"] + mail["body"]


def test_each_act_leaves_who_and_why(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    licence = verified_licence(session, therapist, actor)
    decision = session.scalars(sa.select(Decision)).one()
    assert (decision.from_state, decision.to_state) == ("in_review", "verified")
    assert (decision.subject_id, decision.reason) == (licence.public_id, "Looked at it.")
    acts = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts == ["licence.checked", "licence.verified"]


def test_evidence_is_hashed_whole(session):
    actor, therapist = make_administrator(session), make_applicant(session)
    (licence,) = therapist.licences
    check_licence(session, licence, actor)
    kept = session.scalars(sa.select(LicenceCheck)).one()
    finding = finding_about(licence)
    assert kept.evidence_hash == hash_of(finding)
    hashes = {
        hash_of(finding_about(licence, **{name: value}))
        for name, value in {
            "source": "x",
            "source_address": "x",
            "retrieved_at": NOW,
            "verbatim_status": "x",
            "found_name": "x",
            "found_number": "x",
            "found_expires_on": None,
            "discipline": True,
            "same_person": "x",
        }.items()
    }
    assert len(hashes | {hash_of(finding)}) == len(vars(finding)) + 1


def test_a_number_written_otherwise_is_still_the_same_number(session):
    actor = make_administrator(session)
    first, second = make_applicant(session, "Rosa Almeida"), make_applicant(session, "Ada Berg")
    first.licences[0].number, second.licences[0].number = "PSY 60.001", "psy60001"
    verified_licence(session, first, actor)
    check_licence(session, second.licences[0], actor)
    assert declared_elsewhere(second.licences[0]) == [first]
    with pytest.raises(VerifiedElsewhere):
        decide(session, second.licences[0], "verified", actor)
