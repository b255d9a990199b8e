"""A run: everybody who can be placed is, by the market as it is, and nobody is told yet."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

import matching
from core.audit import AuditEntry
from core.outbox import OutboxMessage
from practice.accounts.models import Role
from practice.consent.models import Purpose
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from practice.matches.prices import COUNT_FOR, newest_prices
from practice.waiting import operations, runs
from practice.waiting.models import Ending, Placement, PlacementState, WaitingRun
from practice.waiting.queries import newest_run
from practice.waiting.refusals import AlreadyWaiting, NoConsent, RunIsOver
from tests.builders.matches import make_request, make_seeker
from tests.builders.therapists import make_therapist
from tests.builders.waiting import entry_of, make_lead, make_run, make_waiting, placement_of
from tests.conftest import NOW


@pytest.fixture
def lead(session):
    return make_lead(session)


def take_back(session, client, purpose, at=NOW):
    signatures = session.scalars(signatures_of(client))
    [signed] = [one for one in signatures if one.purpose is purpose]
    revoke(session, signed, client.user, at)


# Joining


def test_one_entry_is_open_at_a_time_and_another_may_follow(session):
    client = make_waiting(session)
    session.commit()
    with pytest.raises(AlreadyWaiting):
        operations.join(session, client, NOW)
    session.rollback()
    operations.leave(session, entry_of(session, client), NOW)
    operations.join(session, client, NOW)
    assert entry_of(session, client).days(NOW) == 0


@pytest.mark.parametrize("purpose", [Purpose.privacy_notice, Purpose.assessment])
def test_nobody_waits_without_what_it_rests_on(session, purpose):
    client = make_seeker(session)
    take_back(session, client, purpose)
    with pytest.raises(NoConsent):
        operations.join(session, client, NOW)


# Working it out


def test_one_place_goes_to_whoever_needs_it_more_and_the_figures_say_so(session, lead):
    make_therapist(session, open_places=1, most_acuity=3)
    first = make_waiting(session, "Early", days=20, phq_9_9=0)
    severe = make_waiting(session, "Severe", days=15, phq_9_9=1)
    run = make_run(session, lead)
    assert placement_of(session, severe).state is PlacementState.proposed
    assert placement_of(session, first).state is PlacementState.unplaced
    assert run.figures["waiting"] == 2
    assert run.figures["severe"] == 1
    assert run.figures["proposal"]["severe_placed"] == 1
    assert run.figures["arrival"]["severe_placed"] == 0
    assert run.figures["arrival"]["longest"] == 15
    assert run.figures["proposal"]["longest"] == 20
    assert run.gap is not None
    assert run.gap <= 0.001
    assert run.engine_version == matching.ENGINE_VERSION


def test_as_many_are_placed_as_can_be_and_no_place_is_given_twice(session, lead):
    """Who came first would take the only one who speaks the language of the second."""
    spanish = make_therapist(session, languages=["en", "es"], open_places=1, skills={"panic": 3})
    make_therapist(session, open_places=1, skills={})
    first = make_waiting(session, days=30)
    second = make_waiting(session, days=3, languages=["es"])
    run = make_run(session, lead)
    assert run.figures["proposal"]["placed"] == 2
    assert run.figures["arrival"]["placed"] == 1
    assert placement_of(session, second).proposed == str(spanish.public_id)
    assert placement_of(session, first).proposed != str(spanish.public_id)


def test_nothing_is_done_to_anybody_before_it_is_confirmed(session, lead):
    therapist = make_therapist(session)
    client = make_waiting(session)
    make_run(session, lead)
    session.refresh(therapist)
    assert therapist.open_places == 3
    assert placement_of(session, client).therapist_id is None
    kinds = set(session.scalars(sa.select(OutboxMessage.kind)))
    assert kinds == {runs.RUN}


def test_without_anybody_waiting_a_run_is_empty_and_no_error(session, lead):
    run = make_run(session, lead)
    assert run.stands
    assert run.figures["waiting"] == 0


@pytest.mark.parametrize("why", ["asked", "left", "no place", "notice", "assessment"])
def test_who_cannot_be_placed_is_in_no_run(session, lead, why):
    therapist = make_therapist(session)
    client = make_waiting(session)
    if why == "asked":
        make_request(session, client, therapist)
    elif why == "left":
        operations.leave(session, entry_of(session, client), NOW)
    elif why == "no place":
        client.place = ""
    elif why == "notice":
        take_back(session, client, Purpose.privacy_notice)
    else:
        take_back(session, client, Purpose.assessment)
    run = make_run(session, lead)
    found = placement_of(session, client)
    assert found is None or found.proposed is None
    assert run.figures["proposal"]["placed"] == 0


def test_a_consent_taken_back_while_it_is_worked_out_counts(session, lead, monkeypatch):
    make_therapist(session)
    client = make_waiting(session)
    propose = runs.propose

    def meanwhile(waiters):
        take_back(session, client, Purpose.assessment)
        session.commit()
        return propose(waiters)

    monkeypatch.setattr(runs, "propose", meanwhile)
    make_run(session, lead)
    assert placement_of(session, client) is None
    assert entry_of(session, client).ending is Ending.consent


def test_a_run_taken_back_while_it_is_worked_out_stays_away(session, lead):
    make_therapist(session)
    client = make_waiting(session)
    run = runs.ask(session, lead, NOW)
    runs.withdraw(session, run, lead, NOW)
    session.commit()
    runs.make(run.public_id, NOW)
    assert placement_of(session, client) is None
    assert newest_prices().at(NOW) == {}


def test_asking_twice_makes_one_run(session, lead):
    assert runs.ask(session, lead, NOW) is runs.ask(session, lead, NOW)


def test_a_new_run_takes_the_place_of_what_was_undecided(session, lead):
    make_therapist(session)
    client = make_waiting(session)
    make_run(session, lead)
    second = make_run(session, lead, NOW + timedelta(hours=1))
    assert session.scalars(sa.select(Placement.run_id)).all() == [second.id]
    assert placement_of(session, client).run is second


def test_each_run_is_written_down_and_names_nobody(session, lead):
    make_waiting(session)
    run = make_run(session, lead)
    runs.withdraw(session, run, lead, NOW)
    acts = session.scalars(
        sa.select(AuditEntry).where(AuditEntry.subject_id == run.public_id)
    ).all()
    assert {act.action for act in acts} == {
        "waiting.run_asked",
        "waiting.run_made",
        "waiting.run_withdrawn",
    }
    assert not any(act.client_id for act in acts)


# Prices


@pytest.fixture
def scarce(session, lead):
    """One place that two would have, with an ordinary one for the second."""
    return make_therapist(session, "Rosa Almeida", open_places=1, skills={"panic": 3, "grief": 3})


def test_what_a_scarce_place_is_worth_counts_between_runs_and_then_no_more(session, lead, scarce):
    make_therapist(session, "Lena Brandt", open_places=5, skills={"panic": 1})
    for number in range(2):
        make_waiting(session, days=10 + number)
    run = make_run(session, lead)
    price = run.prices[str(scarce.public_id)]
    assert price > 0
    assert newest_prices().at(NOW) == {str(scarce.public_id): price}
    assert newest_prices().at(NOW + COUNT_FOR) == {}
    runs.withdraw(session, run, lead, NOW)
    session.commit()
    assert newest_prices().at(NOW) == {}
    with pytest.raises(RunIsOver):
        runs.withdraw(session, run, lead, NOW)


def test_one_that_was_stopped_leaves_the_one_before_and_its_prices(session, lead, scarce):
    make_therapist(session, "Lena Brandt", open_places=5, skills={"panic": 1})
    for number in range(2):
        make_waiting(session, days=10 + number)
    first = make_run(session, lead)
    second = runs.ask(session, lead, NOW)
    runs.withdraw(session, second, lead, NOW)
    session.commit()
    assert newest_run() is first
    assert set(session.scalars(sa.select(Placement.run_id))) == {first.id}
    assert newest_prices().at(NOW) == first.prices != {}


def test_every_role_but_the_lead_is_kept_from_the_list(session):
    from practice.waiting.policy import entries_for, placements_for
    from tests.builders.accounts import make_user

    make_waiting(session)
    for role in Role:
        user = make_user(session, roles=(role,))
        seen = session.scalars(entries_for(user)).all()
        assert bool(seen) is (role is Role.clinical_lead), role
        assert not session.scalars(placements_for(user)).all()
    assert session.scalar(sa.select(sa.func.count()).select_from(WaitingRun)) == 0
