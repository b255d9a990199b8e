"""A run: everybody who can be placed is, by the market as it is, and nobody is told yet."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

import matching
from core.audit import AuditEntry
from core.database import db, is_sqlite, unit_of_work
from core.outbox import LEASE, OutboxMessage, drain
from matching.errors import BadValue
from practice.accounts.models import Role, User
from practice.consent.models import Purpose
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from practice.matches.market.prices import COUNT_FOR, newest_prices
from practice.matches.obstacles import FEWEST_TOLD
from practice.privacy import operations as privacy
from practice.waiting import deciding, letting_go, operations, runs, searching
from practice.waiting.models import (
    UNDECIDED,
    Ending,
    Placement,
    PlacementState,
    WaitingEntry,
    WaitingRun,
)
from practice.waiting.policy import entries_for, placements_for
from practice.waiting.queries import (
    has_failed,
    newest_run,
    placement_for,
    proposed_in,
    totals,
)
from practice.waiting.refusals import AlreadyWaiting, NoConsent, RunIsOver
from tests.builders.accounts import make_user
from tests.builders.matches import make_request, make_seeker
from tests.builders.therapists import make_therapist
from tests.builders.waiting import entry_of, make_lead, make_run, make_waiting, placement_of
from tests.conftest import NOW, PATIENCE


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


def test_a_search_that_was_cut_short_is_kept_with_its_proposal(session, lead, monkeypatch):
    make_therapist(session)
    make_waiting(session)
    assert not make_run(session, lead).cut_short
    allocate = runs.allocate

    def stopped(*given):
        return replace(allocate(*given), gap=0.02, cut_short=True)

    monkeypatch.setattr(runs, "allocate", stopped)
    run = make_run(session, lead, NOW + timedelta(hours=1))
    assert (run.gap, run.cut_short) == (0.02, True)


def test_how_severe_it_is_for_the_only_one_who_waits_stands_nowhere_in_the_clear(session, lead):
    make_therapist(session, most_acuity=3)
    make_waiting(session, phq_9_9=1)
    run = make_run(session, lead)
    assert run.figures["severe"] == 1
    row = session.execute(sa.text("SELECT * FROM waiting_runs")).mappings().one()
    assert not any("severe" in str(value) for value in row.values())


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


@pytest.mark.parametrize("meanwhile", ["asked", "offered"])
def test_whoever_asked_or_was_offered_somebody_meanwhile_is_not_proposed(
    session, lead, monkeypatch, meanwhile
):
    therapist = make_therapist(session, open_places=5)
    client = make_waiting(session)
    first = make_run(session, lead)
    propose = runs.propose

    def at_the_same_time(waiters):
        if meanwhile == "asked":
            make_request(session, client, therapist)
        else:
            deciding.confirm(session, first, [placement_of(session, client)], lead, NOW, seen=0)
        session.commit()
        return propose(waiters)

    monkeypatch.setattr(runs, "propose", at_the_same_time)
    make_run(session, lead, NOW + timedelta(hours=1))
    undecided = session.scalars(sa.select(Placement).where(Placement.state.in_(UNDECIDED))).all()
    assert undecided == []


def test_whoever_leaves_while_a_proposal_is_written_down_has_nothing_proposed(
    app, session, lead, monkeypatch
):
    """PostgreSQL alone lets both be under way at once; without the locks a row is left behind."""
    make_therapist(session)
    client = make_waiting(session)
    run = runs.ask(session, lead, NOW)
    session.commit()
    key, entry_key, write = run.public_id, entry_of(session, client).id, runs._placement
    is_writing, has_left = threading.Event(), threading.Event()

    def slowly(*found):
        is_writing.set()
        has_left.wait(0.5)
        return write(*found)

    def leave():
        with app.app_context():
            is_writing.wait(PATIENCE)
            with unit_of_work() as work:
                operations.leave(work, work.get_one(WaitingEntry, entry_key), NOW)
            has_left.set()
            db.session.remove()

    monkeypatch.setattr(runs, "_placement", slowly)
    leaving = threading.Thread(target=leave)
    session.rollback()
    leaving.start()
    runs.make(key, NOW)
    leaving.join(PATIENCE)
    session.rollback()
    session.expire_all()
    assert entry_of(session, client).ending is Ending.left
    assert session.scalars(sa.select(Placement)).all() == []


def test_what_is_wrong_with_one_keeps_nobody_else_from_being_placed(session, lead, monkeypatch):
    make_therapist(session)
    odd, other = make_waiting(session, "Odd"), make_waiting(session, "Other")
    search_for = searching.search_for

    def refusing(client, *answers):
        if client.id == odd.id:
            raise BadValue("hours.windows", "cannot be right")
        return search_for(client, *answers)

    monkeypatch.setattr(searching, "search_for", refusing)
    run = make_run(session, lead)
    assert placement_of(session, odd).state is PlacementState.unplaced
    assert placement_of(session, other).state is PlacementState.proposed
    assert run.figures["without_anybody"] == 1


# When the worker is killed, or never gets through


def test_a_worker_that_is_killed_leaves_nothing_and_the_next_one_begins_anew(
    app, session, lead, monkeypatch
):
    make_therapist(session)
    client = make_waiting(session)
    first = make_run(session, lead)
    second = runs.ask(session, lead, NOW)
    session.commit()

    def killed(waiters):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(runs, "propose", killed)
        with pytest.raises(KeyboardInterrupt):
            drain(app, NOW)
    session.rollback()
    session.expire_all()
    assert second.is_being_made
    assert placement_of(session, client).run is first
    assert drain(app, NOW) == 0  # It may still be alive: its lease has not run out.
    assert drain(app, NOW + LEASE) == 1
    session.rollback()
    session.expire_all()
    assert second.stands
    assert placement_of(session, client).run is second


def test_one_that_was_set_aside_is_not_waited_for(app, session, lead):
    make_therapist(session)
    client = make_waiting(session)
    failed = runs.ask(session, lead, NOW)
    session.execute(sa.update(OutboxMessage).values(dead_at=NOW))
    assert has_failed(failed)
    another = runs.ask(session, lead, NOW)
    assert another is not failed
    session.commit()
    drain(app, NOW)
    session.rollback()
    session.expire_all()
    assert placement_of(session, client).run is another
    assert not has_failed(another)


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
    """One place that all would have, with an ordinary one for the others."""
    make_therapist(session, "Lena Brandt", open_places=50, skills={"panic": 1})
    return make_therapist(session, "Rosa Almeida", open_places=1, skills={"panic": 3, "grief": 3})


def crowd(session, people=FEWEST_TOLD):
    for number in range(people):
        make_waiting(session, days=10 + number)


def test_a_price_is_kept_only_where_ten_could_have_the_place(session, lead, scarce):
    """A line on somebody's page must not tell that one certain person waits."""
    crowd(session, FEWEST_TOLD - 1)
    # They wait as well, and have nothing to do with that place.
    make_waiting(session, languages=["de"])
    few = make_run(session, lead)
    assert few.prices == {}
    assert newest_prices().at(NOW) == {}
    make_waiting(session)
    many = make_run(session, lead, NOW + timedelta(hours=1))
    assert list(many.prices) == [str(scarce.public_id)]
    assert newest_prices().at(NOW + timedelta(hours=1)) == many.prices


def test_a_price_that_is_left_out_changes_nothing_of_who_is_proposed(session, lead, scarce):
    crowd(session, FEWEST_TOLD - 1)
    run = make_run(session, lead)
    assert run.figures["proposal"]["placed"] == FEWEST_TOLD - 1
    proposed = session.scalars(sa.select(Placement)).all()
    assert [one.proposed for one in proposed].count(str(scarce.public_id)) == 1


def test_what_a_scarce_place_is_worth_counts_between_runs_and_then_no_more(session, lead, scarce):
    crowd(session)
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
    crowd(session)
    first = make_run(session, lead)
    second = runs.ask(session, lead, NOW)
    runs.withdraw(session, second, lead, NOW)
    session.commit()
    assert newest_run() is first
    assert set(session.scalars(sa.select(Placement.run_id))) == {first.id}
    assert newest_prices().at(NOW) == first.prices != {}


def test_taking_one_back_ends_its_prices_also_while_the_next_is_worked_out(session, lead, scarce):
    crowd(session)
    first = make_run(session, lead)
    assert newest_prices().at(NOW)
    runs.ask(session, lead, NOW)
    runs.withdraw(session, first, lead, NOW)
    session.commit()
    assert newest_prices().at(NOW) == {}


def test_taking_an_old_one_back_leaves_the_prices_of_the_newest(session, lead, scarce):
    crowd(session)
    first = make_run(session, lead)
    second = make_run(session, lead, NOW + timedelta(hours=1))
    runs.withdraw(session, first, lead, NOW)
    session.commit()
    assert newest_prices().at(NOW) == second.prices != {}


def test_every_role_but_the_lead_is_kept_from_the_list(session):
    make_waiting(session)
    for role in Role:
        user = make_user(session, roles=(role,))
        seen = session.scalars(entries_for(user)).all()
        assert bool(seen) is (role is Role.clinical_lead), role
        assert not session.scalars(placements_for(user)).all()
    assert session.scalar(sa.select(sa.func.count()).select_from(WaitingRun)) == 0


# Legal holds


def hold(session, client):
    custodian = make_user(session, roles=(Role.administrator,))
    return privacy.place_hold(session, client, "A subpoena", custodian, NOW)


@pytest.mark.parametrize("how", ["the next proposal", "its own is taken back", "they leave"])
def test_what_nobody_decided_goes_but_not_under_a_legal_hold(session, lead, how):
    make_therapist(session, open_places=2)
    sam, kim = make_waiting(session, "Sam"), make_waiting(session, "Kim")
    run = make_run(session, lead)
    before = {each.id: placement_of(session, each).public_id for each in (sam, kim)}
    hold(session, sam)
    if how == "they leave":
        for client in (sam, kim):
            operations.leave(session, entry_of(session, client), NOW)
    elif how == "its own is taken back":
        runs.withdraw(session, run, lead, NOW)
    else:
        make_run(session, lead, NOW + timedelta(hours=1))
    session.commit()
    stay = session.scalars(sa.select(Placement).where(Placement.run_id == run.id)).all()
    assert [each.public_id for each in stay] == [before[sam.id]]
    assert stay[0].state is PlacementState.set_aside
    assert stay[0].proposed is not None


def test_a_hold_that_is_placed_while_a_proposal_goes_is_heeded(session, lead, monkeypatch):
    """The statement that deletes looks for itself: it may see what the one before it did not."""
    make_therapist(session)
    client, plainly = make_waiting(session), letting_go._delete
    run = make_run(session, lead)

    def meanwhile(*arguments):
        hold(session, client)
        plainly(*arguments)

    monkeypatch.setattr(letting_go, "_delete", meanwhile)
    runs.withdraw(session, run, lead, NOW)
    assert session.scalars(sa.select(Placement.run_id)).all() == [run.id]


def test_what_a_hold_kept_is_nobodys_to_decide_and_goes_once_it_is_lifted(session, lead):
    make_therapist(session)
    client = make_waiting(session)
    first = make_run(session, lead)
    held, kept = hold(session, client), placement_of(session, client)
    second = make_run(session, lead, NOW + timedelta(hours=1))
    assert placement_for(lead, kept.public_id) is None
    assert kept not in proposed_in(lead, first, seen=0)
    assert totals(lead, second).proposed == 1
    privacy.lift_hold(session, held, lead, NOW)
    make_run(session, lead, NOW + timedelta(hours=2))
    runs_with_any = session.scalars(sa.select(Placement.run_id)).all()
    assert first.id not in runs_with_any
    assert second.id not in runs_with_any


def test_what_a_hold_kept_goes_when_they_leave_the_list_after_it(session, lead):
    make_therapist(session)
    client, other = make_waiting(session), make_waiting(session)
    make_run(session, lead)
    holds = [hold(session, each) for each in (client, other)]
    make_run(session, lead, NOW + timedelta(hours=1))
    privacy.lift_hold(session, holds[0], lead, NOW)
    for each in (client, other):
        operations.leave(session, entry_of(session, each), NOW)
    left = sa.select(Placement.client_id, Placement.state).order_by(Placement.id)
    assert {tuple(row) for row in session.execute(left)} == {(other.id, PlacementState.set_aside)}


# Two leads at once


@pytest.mark.parametrize("has_failed_before", [False, True])
def test_two_who_ask_at_once_get_one_proposal(app, session, lead, monkeypatch, has_failed_before):
    """Where the database lets them, each has seen that none is made; SQLite has one writer."""
    if has_failed_before:
        runs.ask(session, lead, NOW)
        session.execute(sa.update(OutboxMessage).values(dead_at=NOW))
    session.commit()
    key, together = lead.id, threading.Barrier(2, timeout=PATIENCE)
    looks = "has_failed" if has_failed_before else "_going_on"
    look, looked = getattr(runs, looks), threading.local()

    def look_together(about):
        found = look(about)
        if not is_sqlite(db.session.connection()) and not hasattr(looked, "once"):
            looked.once = True
            together.wait()
        return found

    def ask(_number):
        with app.app_context():
            together.wait()
            with unit_of_work() as work:
                asked = runs.ask(work, work.get_one(User, key), NOW).public_id
            db.session.remove()
            return asked

    session.rollback()
    monkeypatch.setattr(runs, looks, look_together)
    with ThreadPoolExecutor(2) as threads:
        [first, second] = threads.map(ask, range(2))
    assert first == second
    session.expire_all()
    is_new = WaitingRun.public_id == first
    assert session.scalars(sa.select(WaitingRun.being_made).where(is_new)).all() == [True]
    before = 1 if has_failed_before else 0
    for kind in (WaitingRun, OutboxMessage):
        assert session.scalar(sa.select(sa.func.count()).select_from(kind)) == 1 + before
    acts = sa.select(sa.func.count()).where(AuditEntry.action == "waiting.run_asked")
    assert session.scalar(acts) == 1 + before


@pytest.mark.parametrize("end", ["made", "withdrawn"])
def test_another_can_be_asked_for_once_one_is_made_or_taken_back(session, lead, end):
    first = runs.ask(session, lead, NOW)
    if end == "withdrawn":
        runs.withdraw(session, first, lead, NOW)
    else:
        session.commit()
        runs.make(first.public_id, NOW)
    assert runs.ask(session, lead, NOW) is not first
