"""The lead decides: all or nothing, each place once, and nobody but the lead."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from core.database import db, unit_of_work
from core.errors import NotAllowed
from core.outbox import OutboxMessage
from practice.accounts.models import Role, User
from practice.consent.models import Purpose
from practice.matches import operations as matches
from practice.matches.models import Proposal, RequestState
from practice.privacy.operations import erase
from practice.therapists.models import ApplicationState, Therapist
from practice.waiting import deciding, offers, operations, runs
from practice.waiting.models import Ending, Placement, PlacementState, WaitingEntry, WaitingRun
from practice.waiting.policy import entries_for, placements_for
from practice.waiting.queries import proposed_in, refused_of
from practice.waiting.refusals import (
    CannotConfirm,
    CostsChanged,
    DecidedAlready,
    NoLongerThere,
    NotOnTheirList,
    OfferIsOver,
    RunIsOver,
)
from practice.waiting.sweeps import lapse_offers
from tests.builders.accounts import make_client, make_user
from tests.builders.counting import statements_of
from tests.builders.intake import make_intake
from tests.builders.matches import make_request
from tests.builders.therapists import make_therapist
from tests.builders.waiting import entry_of, make_lead, make_run, make_waiting, placement_of
from tests.conftest import NOW, PATIENCE
from tests.practice.waiting.test_runs import take_back

REASON = "They know each other."


@pytest.fixture
def lead(session):
    return make_lead(session)


@pytest.fixture
def therapist(session):
    return make_therapist(session, "Rosa Almeida", open_places=1, skills={"panic": 3, "grief": 3})


@pytest.fixture
def client(session):
    return make_waiting(session)


@pytest.fixture
def run(session, lead, therapist, client):
    return make_run(session, lead)


def confirm(session, run, lead, *clients, at=NOW):
    chosen = [placement_of(session, client) for client in clients]
    deciding.confirm(session, run, chosen, lead, at, seen=run.version)
    session.commit()


def agree(session, client, at=NOW):
    return offers.agree(
        session, placement_of(session, client), share=(), name="Sam", actor=client.user, at=at
    )


def places(session, therapist):
    return session.scalar(sa.select(Therapist.open_places).where(Therapist.id == therapist.id))


def mails(session):
    rows = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "mail"))
    return [row.payload for row in rows]


# Confirming


def test_a_confirmed_place_is_kept_for_three_working_days_and_the_client_is_told(
    session, lead, therapist, client, run
):
    friday = datetime(2026, 12, 4, 18, 0, tzinfo=UTC)
    confirm(session, run, lead, client, at=friday)
    placement = placement_of(session, client)
    assert placement.state is PlacementState.offered
    assert placement.due_at == datetime(2026, 12, 9, 18, 0, tzinfo=UTC)
    assert places(session, therapist) == 0
    [mail] = mails(session)
    assert mail["to"] == client.user.email
    said = (mail["subject"] + mail["body"]).lower()
    assert not any(word in said for word in ("rosa", "therap", "place with", "panic"))


def test_what_the_client_is_shown_can_be_replayed(session, lead, therapist, client, run):
    confirm(session, run, lead, client)
    [kept] = session.scalars(sa.select(Proposal).where(Proposal.client_id == client.id))
    assert [each["id"] for each in kept.shown] == [str(therapist.public_id)]


def test_many_are_confirmed_with_hardly_more_looking_up_than_few(app, session, lead):
    def looked_up(number):
        make_therapist(session, f"With {number} places", open_places=number)
        people = [make_waiting(session, f"{number} {each}") for each in range(number)]
        run = make_run(session, lead, NOW + timedelta(hours=number))
        chosen = [placement_of(session, each) for each in people]
        with statements_of(app) as seen:
            deciding.confirm(session, run, chosen, lead, NOW + timedelta(hours=number), seen=0)
        session.commit()
        # Whether a mail is posted already is asked for each mail.
        return [one for one in seen if one.startswith("SELECT") and "outbox_messages" not in one]

    assert len(looked_up(6)) <= len(looked_up(2)) + 1


def test_a_therapist_who_became_full_is_named_and_nothing_is_half_done(session, lead):
    rosa = make_therapist(session, "Rosa Almeida", open_places=1, languages=["en", "es"])
    lena = make_therapist(session, "Lena Brandt", open_places=1, languages=["en", "fr"])
    first = make_waiting(session, "Ann", languages=["es"])
    second = make_waiting(session, "Ben", languages=["fr"])
    run = make_run(session, lead)
    lena.open_places = 0
    session.commit()
    with pytest.raises(CannotConfirm) as refused:
        confirm(session, run, lead, first, second)
    assert refused.value.problems == ["Lena Brandt has no open place left for Ben."]
    session.rollback()
    assert places(session, rosa) == 1
    assert placement_of(session, first).state is PlacementState.proposed
    assert not mails(session)
    confirm(session, run, lead, first)
    assert places(session, rosa) == 0


@pytest.mark.parametrize("what", ["suspended", "language", "asked", "left", "consent"])
def test_what_has_changed_since_is_looked_at_again(session, lead, therapist, client, run, what):
    chosen = [placement_of(session, client)]
    if what == "suspended":
        therapist.application.state = ApplicationState.suspended
    elif what == "language":
        therapist.languages = ["de"]
    elif what == "asked":
        make_request(session, client, make_therapist(session))
    elif what == "left":
        operations.leave(session, entry_of(session, client), NOW)
    else:
        take_back(session, client, Purpose.assessment)
    session.commit()
    with pytest.raises((CannotConfirm, NoLongerThere)):
        deciding.confirm(session, run, chosen, lead, NOW, seen=run.version)
    session.rollback()
    assert places(session, therapist) == 1


def test_a_place_that_is_kept_is_not_given_twice_by_a_later_run(
    session, lead, therapist, client, run
):
    confirm(session, run, lead, client)
    other = make_waiting(session, "Ben")
    later = make_run(session, lead, NOW + timedelta(hours=1))
    assert later.figures["waiting"] == 1
    assert placement_of(session, other).proposed is None
    assert placement_of(session, client).state is PlacementState.offered


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.clinical_lead])
def test_nobody_but_the_lead_decides(session, client, run, role):
    somebody = make_user(session, roles=(role,))
    placement = placement_of(session, client)
    for act in (
        lambda: deciding.confirm(session, run, [placement], somebody, NOW, seen=0),
        lambda: deciding.reject(session, placement, REASON, somebody, NOW, seen=0),
        lambda: deciding.change(session, placement, placement.proposed, somebody, NOW, seen=0),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_a_decision_is_made_once_and_only_while_the_run_stands(session, lead, client, run):
    placement = placement_of(session, client)
    confirm(session, run, lead, client)
    seen = run.version
    with pytest.raises(CannotConfirm) as refused:
        deciding.confirm(session, run, [placement], lead, NOW, seen=seen)
    assert [one.state for one in refused.value.changed] == [PlacementState.offered]
    with pytest.raises(DecidedAlready):
        deciding.reject(session, placement, REASON, lead, NOW, seen=seen)
    runs.withdraw(session, run, lead, NOW)
    with pytest.raises(RunIsOver):
        deciding.confirm(session, run, [placement], lead, NOW, seen=seen)


def test_of_two_leads_who_confirm_at_once_one_wins(app, session, lead, therapist, client, run):
    other = make_lead(session, "Odile Marchand")
    session.commit()
    start, answers = threading.Barrier(2), []

    def act(lead_id):
        with app.app_context():
            start.wait()
            try:
                with unit_of_work() as work:
                    chosen = work.get_one(Placement, placement_id)
                    actor, about = work.get_one(User, lead_id), work.get_one(WaitingRun, run_id)
                    deciding.confirm(work, about, [chosen], actor, NOW, seen=0)
                answers.append("confirmed")
            except CannotConfirm:
                answers.append("refused")
            finally:
                db.session.remove()

    placement_id, run_id = placement_of(session, client).id, run.id
    threads = [threading.Thread(target=act, args=(each.id,)) for each in (lead, other)]
    session.rollback()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == ["confirmed", "refused"]
    assert places(session, therapist) == 0


# What a colleague has changed since


@pytest.fixture
def lena(session):
    """Somebody else, less close than Rosa."""
    return make_therapist(session, "Lena Brandt", open_places=2, skills={"panic": 1})


@pytest.fixture
def odile(session):
    return make_lead(session, "Odile Marchand")


def test_what_a_colleague_changed_is_not_confirmed_unseen_and_says_who_and_when(
    session, lead, odile, therapist, lena, client, run
):
    placement, seen = placement_of(session, client), run.version
    deciding.change(session, placement, str(lena.public_id), odile, NOW, seen=seen)
    with pytest.raises(CannotConfirm) as refused:
        deciding.confirm(session, run, [placement], lead, NOW, seen=seen)
    [said] = refused.value.changed
    assert (said.by, said.at, said.therapist) == ("Odile Marchand", NOW, "Lena Brandt")
    assert placement.state is PlacementState.proposed
    assert deciding.confirm(session, run, [placement], lead, NOW, seen=run.version) == []
    assert placement.therapist is lena
    assert places(session, therapist) == 1


def test_of_many_only_those_are_confirmed_who_are_as_they_were_seen(
    session, lead, odile, therapist, lena
):
    """Whoever gives way for a change has changed with it, and is told of as well."""
    people = [make_waiting(session, name, days=10 + at) for at, name in enumerate(("Ann", "Ben"))]
    people.append(make_waiting(session, "Kim", days=40))
    run = make_run(session, lead)
    seen, by_therapist = run.version, {}
    for client in people:
        by_therapist.setdefault(placement_of(session, client).proposed, []).append(client)
    [with_rosa], [moved, stays] = (
        by_therapist[str(therapist.public_id)],
        by_therapist[str(lena.public_id)],
    )
    placement = placement_of(session, moved)
    gave_way = deciding.change(session, placement, str(therapist.public_id), odile, NOW, seen=seen)
    assert gave_way.key == placement_of(session, with_rosa).id
    chosen = [placement_of(session, client) for client in people]
    changed = deciding.confirm(session, run, chosen, lead, NOW, seen=seen)
    assert {one.who for one in changed} == {
        moved.preferred_name,
        with_rosa.preferred_name,
    }
    assert {one.by for one in changed} == {"Odile Marchand"}
    assert placement_of(session, stays).state is PlacementState.offered
    for client in (moved, with_rosa):
        assert placement_of(session, client).state is PlacementState.proposed
    assert len(mails(session)) == 1


def test_what_is_in_the_way_of_one_leaves_the_others_and_the_changed_ones_are_told_too(
    session, lead, odile, therapist, lena
):
    ann, ben = make_waiting(session, "Ann", days=30), make_waiting(session, "Ben")
    run = make_run(session, lead)
    chosen, seen = [placement_of(session, each) for each in (ann, ben)], run.version
    with_lena = next(one for one in chosen if one.proposed == str(lena.public_id))
    deciding.reject(session, with_lena, REASON, odile, NOW, seen=seen)
    therapist.open_places = 0
    session.commit()
    with pytest.raises(CannotConfirm) as refused:
        deciding.confirm(session, run, chosen, lead, NOW, seen=seen)
    assert len(refused.value.problems) == 1
    assert [one.state for one in refused.value.changed] == [PlacementState.rejected]


def test_a_change_that_is_under_way_is_waited_for_and_not_confirmed_unseen(
    app, session, lead, odile, therapist, lena, client, run
):
    """The colleague holds the run while the other one confirms what stands on their page."""
    is_changing, answers = threading.Event(), []
    run_id, placement_id = run.id, placement_of(session, client).id
    ids, other = (lead.id, odile.id), str(lena.public_id)
    session.rollback()

    def change():
        with app.app_context():
            with unit_of_work() as work:
                found, actor = work.get_one(Placement, placement_id), work.get_one(User, ids[1])
                deciding.change(work, found, other, actor, NOW, seen=0)
                work.flush()
                is_changing.set()
                confirming.join(0.5)
            db.session.remove()

    def confirm_it():
        with app.app_context():
            is_changing.wait(PATIENCE)
            try:
                with unit_of_work() as work:
                    about, actor = work.get_one(WaitingRun, run_id), work.get_one(User, ids[0])
                    found = work.get_one(Placement, placement_id)
                    deciding.confirm(work, about, [found], actor, NOW, seen=0)
                answers.append("confirmed")
            except CannotConfirm as refusal:
                answers.extend(one.therapist for one in refusal.changed)
            db.session.remove()

    confirming, changing = threading.Thread(target=confirm_it), threading.Thread(target=change)
    for thread in (changing, confirming):
        thread.start()
    for thread in (changing, confirming):
        thread.join(PATIENCE)
    session.expire_all()
    assert answers == ["Lena Brandt"]
    assert placement_of(session, client).state is PlacementState.proposed
    assert places(session, lena) == 2


def test_a_change_costs_nobody_a_place_who_did_not_stand_on_the_page(
    session, lead, odile, therapist
):
    """Rosa's only place was open when the page said so; then a colleague proposed Ben for it."""
    lena = make_therapist(session, "Lena Brandt", open_places=2, skills={"panic": 1})
    ann, ben = make_waiting(session, "Ann", days=30), make_waiting(session, "Ben")
    run = make_run(session, lead)
    both = [placement_of(session, each) for each in (ann, ben)]
    with_rosa = next(one for one in both if one.proposed == str(therapist.public_id))
    [other] = [one for one in both if one is not with_rosa]
    deciding.change(session, with_rosa, str(lena.public_id), lead, NOW, seen=0)
    seen = run.version
    rosa = str(therapist.public_id)
    deciding.change(session, with_rosa, rosa, odile, NOW, seen=seen)
    with pytest.raises(CostsChanged):
        deciding.change(session, other, rosa, lead, NOW, seen=seen)
    assert with_rosa.proposed == rosa
    assert deciding.change(session, other, rosa, lead, NOW, seen=run.version) is not None


def test_whoever_would_give_way_and_leaves_in_that_moment_stops_the_change(
    session, lead, therapist, lena, monkeypatch
):
    people = [make_waiting(session, "Ann", days=30), make_waiting(session, "Ben")]
    run = make_run(session, lead)
    rosa = str(therapist.public_id)
    [with_rosa] = [one for one in people if placement_of(session, one).proposed == rosa]
    [other] = [placement_of(session, one) for one in people if one is not with_rosa]
    before, looked_at = other.proposed, deciding.board_of

    def and_then_they_leave(*given):
        board = looked_at(*given)
        operations.leave(session, entry_of(session, with_rosa), NOW)
        return board

    monkeypatch.setattr(deciding, "board_of", and_then_they_leave)
    with pytest.raises(CostsChanged):
        deciding.change(session, other, rosa, lead, NOW, seen=run.version)
    assert other.proposed == before


def test_whoever_gives_way_has_a_row_in_the_log_too(session, lead, therapist, lena):
    people = [make_waiting(session, "Ann", days=30), make_waiting(session, "Ben")]
    run = make_run(session, lead)
    [other] = [
        one
        for one in (placement_of(session, each) for each in people)
        if one.proposed != str(therapist.public_id)
    ]
    deciding.change(session, other, str(therapist.public_id), lead, NOW, seen=run.version)
    changed = sa.select(AuditEntry.client_id).where(AuditEntry.action == "waiting.changed")
    assert set(session.scalars(changed)) == {each.public_id for each in people}


# Rejecting and changing


def test_a_rejected_pair_is_not_proposed_again_and_the_reason_is_sealed(
    session, lead, therapist, client, run
):
    placement = placement_of(session, client)
    deciding.reject(session, placement, REASON, lead, NOW, seen=0)
    session.commit()
    make_run(session, lead, NOW + timedelta(hours=1))
    assert placement_of(session, client).proposed is None
    assert refused_of(entry_of(session, client)) == {str(therapist.public_id)}
    sealed = session.scalars(
        sa.select(Placement.reason_sealed).where(Placement.state == PlacementState.rejected)
    ).one()
    assert REASON.encode() not in sealed
    assert REASON not in str([act.details for act in session.scalars(sa.select(AuditEntry))])


def test_another_therapist_with_an_open_place_changes_nobody_else(session, lead, therapist):
    lena = make_therapist(session, "Lena Brandt", skills={"panic": 1})
    client = make_waiting(session)
    make_run(session, lead)
    moved = deciding.change(
        session, placement_of(session, client), str(lena.public_id), lead, NOW, seen=0
    )
    assert moved is None
    assert placement_of(session, client).proposed == str(lena.public_id)


def test_whoever_gives_way_goes_where_a_place_is_open(session, lead, therapist):
    lena = make_therapist(session, "Lena Brandt", open_places=1, skills={"panic": 1})
    first, second = make_waiting(session, "Ann"), make_waiting(session, "Ben")
    make_run(session, lead)
    with_rosa, with_lena = sorted(
        (first, second),
        key=lambda each: placement_of(session, each).proposed == str(lena.public_id),
    )
    moved = deciding.change(
        session, placement_of(session, with_lena), str(therapist.public_id), lead, NOW, seen=0
    )
    session.commit()
    assert moved.goes_to == str(lena.public_id)
    assert placement_of(session, with_rosa).proposed == str(lena.public_id)
    assert placement_of(session, with_lena).proposed == str(therapist.public_id)


def test_nobody_is_proposed_whom_a_rule_fails(session, lead, client, run):
    elsewhere = make_therapist(session, places=("US-OR",))
    with pytest.raises(NotOnTheirList):
        deciding.change(
            session, placement_of(session, client), str(elsewhere.public_id), lead, NOW, seen=0
        )


def test_a_lead_who_waits_too_moves_themselves_neither_up_nor_down(session, lead, therapist):
    joined = NOW - timedelta(days=90)
    own = make_client(session, user=lead, at=joined)
    make_intake(session, own, at=joined)
    operations.join(session, own, joined)
    client = make_waiting(session, "Ann", days=1)
    run = make_run(session, lead)
    assert placement_of(session, own).proposed == str(therapist.public_id)
    assert own not in [each.client for each in proposed_in(lead, run, seen=0)]
    with pytest.raises(NotOnTheirList):
        deciding.change(
            session, placement_of(session, client), str(therapist.public_id), lead, NOW, seen=0
        )


# The client's answer


def test_a_yes_asks_the_therapist_with_the_place_that_was_kept(
    session, lead, therapist, client, run
):
    confirm(session, run, lead, client)
    request = agree(session, client)
    assert request.shared == {"name": "Sam"}
    assert places(session, therapist) == 0
    assert placement_of(session, client).state is PlacementState.agreed
    assert entry_of(session, client).left_at is None
    matches.accept(session, request, therapist.user, NOW)
    assert places(session, therapist) == 0
    assert entry_of(session, client).ending is Ending.accepted


@pytest.mark.parametrize("how", ["declined", "withdrawn", "lapsed"])
def test_a_kept_place_goes_back_once_when_there_is_no_yes(
    session, lead, therapist, client, run, how
):
    confirm(session, run, lead, client)
    request = agree(session, client)
    if how == "declined":
        matches.decline(session, request, therapist.user, NOW)
    elif how == "withdrawn":
        matches.withdraw(session, request, client.user, NOW)
    else:
        matches.lapse(session, request, request.answer_due_at)
    assert request.state is RequestState(how)
    assert places(session, therapist) == 1
    assert entry_of(session, client).left_at is None


def test_not_this_one_goes_back_on_the_list_and_is_not_offered_again(
    session, lead, therapist, client, run
):
    confirm(session, run, lead, client)
    offers.decline(session, placement_of(session, client), client.user, NOW)
    session.commit()
    assert places(session, therapist) == 1
    assert entry_of(session, client).days(NOW) == 10
    make_run(session, lead, NOW + timedelta(hours=1))
    assert placement_of(session, client).proposed is None


def test_a_place_that_is_not_answered_in_time_goes_back(session, lead, therapist, client, run):
    confirm(session, run, lead, client)
    due = placement_of(session, client).due_at
    lapse_offers(due - timedelta(seconds=1))
    assert places(session, therapist) == 0
    with pytest.raises(OfferIsOver):
        agree(session, client, at=due)
    session.rollback()
    lapse_offers(due)
    lapse_offers(due)
    session.expire_all()
    assert placement_of(session, client).state is PlacementState.lapsed
    assert places(session, therapist) == 1
    assert len(mails(session)) == 2


def test_an_offer_that_cannot_be_let_go_holds_up_none_behind_it(session, lead, monkeypatch):
    rosa = make_therapist(session, "Rosa Almeida", open_places=2)
    first, second = make_waiting(session, "Ann"), make_waiting(session, "Ben")
    confirm(session, make_run(session, lead), lead, first, second)
    due, odd, lapse = (
        placement_of(session, first).due_at,
        placement_of(session, first).id,
        offers.lapse,
    )

    def failing(work, placement, at):
        if placement.id == odd:
            raise RuntimeError
        return lapse(work, placement, at)

    monkeypatch.setattr(offers, "lapse", failing)
    lapse_offers(due)
    session.expire_all()
    assert placement_of(session, second).state is PlacementState.lapsed
    assert placement_of(session, first).state is PlacementState.offered
    assert places(session, rosa) == 1


@pytest.mark.parametrize("purpose", [Purpose.privacy_notice, Purpose.assessment])
def test_taking_a_consent_back_frees_the_place_and_hides_them_at_once(
    session, lead, therapist, client, run, purpose
):
    confirm(session, run, lead, client)
    take_back(session, client, purpose)
    assert places(session, therapist) == 1
    assert placement_of(session, client).state is PlacementState.withdrawn
    assert not session.scalars(entries_for(lead)).all()
    assert not session.scalars(placements_for(lead)).all()


def test_a_consent_alone_hides_them_whatever_else_was_forgotten(session, lead, client, run):
    confirm(session, run, lead, client)
    take_back(session, client, Purpose.assessment)
    session.execute(sa.update(WaitingEntry).values(left_at=None, ending=None))
    session.execute(sa.update(Placement).values(state=PlacementState.offered))
    assert not session.scalars(entries_for(lead)).all()
    assert not session.scalars(placements_for(lead)).all()


def test_an_erased_client_leaves_nothing_behind(session, lead, therapist, client, run):
    confirm(session, run, lead, client)
    erase(session, client, None, NOW)
    for table in (Placement, WaitingEntry):
        assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    assert places(session, therapist) == 1


def test_each_act_is_written_down_with_who_did_it(session, lead, therapist, client, run):
    confirm(session, run, lead, client)
    agree(session, client)
    theirs = sa.select(AuditEntry).where(AuditEntry.client_id == client.public_id)
    acts = {act.action: act for act in session.scalars(theirs)}
    assert {"waiting.joined", "waiting.offered", "waiting.agreed", "request.sent"} <= set(acts)
    assert acts["waiting.offered"].actor_id == lead.public_id
    assert acts["waiting.agreed"].actor_role == Role.client
