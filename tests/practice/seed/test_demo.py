"""The demo clinic holds what `make run` promises, and nothing that the product would refuse.

One clinic for the whole module: these tests only look.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

import matching
from billing.models import Order
from core.clock import FrozenClock
from core.database import Base, db, unit_of_work
from practice.accounts import passwords
from practice.accounts.demo import codes
from practice.accounts.models import Client, Role, User
from practice.accounts.queries import has_address
from practice.appointments.models import Appointment, AppointmentState
from practice.care.models import Episode
from practice.consent.models import Purpose
from practice.consent.policy import has
from practice.consent.purposes import group_scope, therapist_scope
from practice.credentials.comparing import faults_of_licence, faults_of_npi
from practice.credentials.queries import newest_checks, newest_npi_check
from practice.groups.models import LIVE, Enrolment, EnrolmentState, Group, GroupKind
from practice.groups.operations import has_lead_in
from practice.groups.queries import seats_left
from practice.intake.answers import responses
from practice.intake.duty import promise
from practice.intake.instruments import INSTRUMENTS
from practice.intake.models import Assessment, Intake, RiskFlag
from practice.intake.pages import KEYS
from practice.intake.queries import answers_of
from practice.intake.scoring import score
from practice.matches.models import MatchRequest, Proposal, RequestState, WeightsVersion
from practice.matches.replaying import Verdict, replayed
from practice.npi import is_valid_npi
from practice.oversight.weights.figures import figures_of
from practice.oversight.weights.people import LOOKED_BACK, findable, newest_lists, seen_by
from practice.seed.demo import DEMO, LOGINS, is_empty, logins, seed_demo_if_empty
from practice.seed.people import PASSWORD
from practice.seed.world import Size, make_world
from practice.therapists.models import ApplicationState, Licence, LicenceState, Therapist
from practice.therapists.queries import authority_of, listable
from tests.conftest import NOW, empty_database

# One worker lays the clinic out, for all of them.
pytestmark = pytest.mark.xdist_group("the demo clinic")


@pytest.fixture(scope="module")
def clinic(whole_app: Flask) -> Iterator[Flask]:
    whole_app.extensions["clock"] = FrozenClock(NOW)
    with whole_app.app_context():
        empty_database(db.engine)
        seed_demo_if_empty(lambda _line: None)
        yield whole_app
        db.session.remove()
        empty_database(db.engine)


def all_of(kind: type[Base], *conditions: sa.ColumnElement[bool]) -> list:  # type: ignore[type-arg]
    return list(db.session.scalars(sa.select(kind).where(*conditions)).unique())


def test_it_has_the_size_that_is_promised(clinic: Flask) -> None:
    assert len(all_of(Therapist)) == DEMO.therapists == 60
    assert len(all_of(Group)) == DEMO.groups == 14
    assert DEMO.clients == 40
    assert len(all_of(Client)) == DEMO.clients + DEMO.waiting + DEMO.past


def test_twelve_associates_work_under_four_supervisors_of_their_own_profession(
    clinic: Flask,
) -> None:
    associates = [one for one in all_of(Therapist) if one.is_associate]
    assert len(associates) == 12
    assert len({one.supervisor_id for one in associates}) == 4
    for one in associates:
        assert one.supervisor.profession == one.profession
        assert one.supervisor.user.has(Role.supervisor)
        assert one.licences[0].place in {licence.place for licence in one.supervisor.licences}


def test_every_npi_is_valid_and_belongs_to_one_person(clinic: Flask) -> None:
    numbers = [one.npi for one in all_of(Therapist)]
    assert all(is_valid_npi(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_an_administrator_meets_every_kind_of_trouble(clinic: Flask) -> None:
    states = Counter(one.application.state for one in all_of(Therapist))
    for state in ApplicationState:
        if state is not ApplicationState.suspended:
            assert states[state], f"nobody is {state.value}"
    expired = all_of(Licence, Licence.in_force_until <= NOW)
    stale = [one for one in all_of(Therapist) if not one.hours_are_fresh(NOW)]
    assert len(expired) >= 2
    assert len(stale) >= 3


def test_only_people_with_authority_are_listed_in_several_states(clinic: Flask) -> None:
    listed = list(db.session.scalars(listable(NOW)).unique())
    authority = authority_of([one.id for one in listed], NOW)
    assert len(listed) >= 40
    assert all(authority[one.id] for one in listed)
    assert len({place for places in authority.values() for place in places}) >= 4


def test_whoever_is_verified_was_looked_up_and_nothing_stands_against_them(clinic: Flask) -> None:
    verified = all_of(Licence, Licence.state == LicenceState.verified)
    checks = newest_checks([one.id for one in verified])
    in_force = [one for one in verified if one.in_force_until > NOW]
    assert len(in_force) >= 40
    for one in in_force:
        assert faults_of_licence(one, checks.get(one.id), NOW) == []
        npi = newest_npi_check(one.therapist)
        assert faults_of_npi(one.therapist, npi, NOW) == []


def test_groups_are_free_and_paid_full_and_soon_screened_and_led_by_peers(clinic: Flask) -> None:
    groups = all_of(Group)
    left = {group.title: seats_left(group, NOW) for group in groups}
    assert {group.kind for group in groups} == set(GroupKind)
    assert any(group.is_free for group in groups)
    assert any(not group.is_free for group in groups)
    assert any(group.starts_at < NOW + timedelta(days=7) for group in groups)
    assert any(group.peer_leaders for group in groups)
    assert 0 in left.values()
    assert 1 in left.values()


def test_nobody_sits_where_the_product_would_not_have_let_them_in(clinic: Flask) -> None:
    seats = all_of(Enrolment, Enrolment.state == EnrolmentState.seated)
    assert seats
    for seat in seats:
        assert has_lead_in(seat.group, seat.place, NOW), f"{seat.group.title}: {seat.place}"
        assert has(Purpose.group, seat.client, group_scope(seat.group.public_id))
        assert seat.screening is not None or not seat.group.kind.is_screened


def test_names_in_a_group_are_not_used_twice(clinic: Flask) -> None:
    handles = defaultdict(list)
    for seat in all_of(Enrolment, Enrolment.state.in_(LIVE)):
        handles[seat.group_id].append(seat.handle.lower())
    assert all(len(set(names)) == len(names) for names in handles.values())


def test_every_paid_seat_was_paid_through_an_order(clinic: Flask) -> None:
    paid = [one for one in all_of(Enrolment, Enrolment.price > 0) if one.seat_number]
    orders = {order.public_id: order for order in all_of(Order)}
    assert paid
    for seat in paid:
        assert seat.state is EnrolmentState.seated
        assert orders[seat.order_id].charge.amount == seat.price


def test_clients_stand_at_every_stage(clinic: Flask) -> None:
    intakes = all_of(Intake)
    with_consent = [one for one in all_of(Client) if has(Purpose.assessment, one)]
    assert 0 < len(with_consent) < len(all_of(Client))
    assert any(one.submitted_at is None for one in intakes)
    assert any(one.submitted_at for one in intakes)
    requests = Counter(one.state for one in all_of(MatchRequest))
    for state in (RequestState.sent, RequestState.accepted, RequestState.met):
        assert requests[state]
    assert all_of(Episode)


def test_some_requests_wait_longer_than_was_promised(clinic: Flask) -> None:
    assert any(one.is_overdue(NOW) for one in all_of(MatchRequest))
    assert any(one.is_waiting and not one.is_overdue(NOW) for one in all_of(MatchRequest))


def test_two_flags_are_open_and_every_risky_answer_has_raised_one(clinic: Flask) -> None:
    flags = all_of(RiskFlag)
    assert sum(flag.is_open for flag in flags) == 2
    risky = [one for one in all_of(Intake) if (answers_of(one).get("phq-9-9") or 0) > 0]
    assert {one.id for one in risky} == {flag.intake_id for flag in flags}


def test_closed_flags_were_read_and_somebody_was_reached_first(clinic: Flask) -> None:
    closed = [flag for flag in all_of(RiskFlag) if not flag.is_open]
    assert all(flag.bears(flag.outcome.result) for flag in closed)
    assert all(flag.was_read_by(flag.outcome.user) for flag in closed)


def test_every_score_is_the_sum_of_the_answers_it_was_made_of(clinic: Flask) -> None:
    made = [one for one in all_of(Assessment) if one.intake_id]
    assert made
    for one in made:
        answers = answers_of(db.session.get(Intake, one.intake_id))
        tool = INSTRUMENTS[one.instrument]
        assert one.responses == responses(answers, tool)
        assert one.result["total"] == score(tool, one.responses).total


def test_answers_are_answers_to_questions_that_are_asked(clinic: Flask) -> None:
    for intake in all_of(Intake):
        assert set(answers_of(intake)) <= set(KEYS)


def test_whoever_is_in_care_has_agreed_to_it_and_meets_somebody_licensed(clinic: Flask) -> None:
    episodes = all_of(Episode)
    authority = authority_of([one.therapist_id for one in episodes], NOW)
    for one in episodes:
        assert has(Purpose.treatment, one.client, therapist_scope(one.therapist.public_id))
        assert one.place in authority[one.therapist_id]


def test_no_therapist_is_booked_twice_at_a_time(clinic: Flask) -> None:
    booked = all_of(Appointment, Appointment.state == AppointmentState.booked)
    taken = Counter((one.therapist_id, one.starts_at) for one in booked)
    assert booked
    assert set(taken.values()) == {1}


def test_the_rota_has_somebody_on_duty_by_day(clinic: Flask) -> None:
    assert promise(NOW).startswith("A clinician is on duty now")


def test_every_login_that_is_printed_opens(clinic: Flask) -> None:
    lines = list(logins())
    for role, email in LOGINS:
        assert any(role in line and email in line for line in lines)
        user = db.session.scalars(sa.select(User).where(has_address(email))).one()
        assert user.is_confirmed
        assert passwords.is_right(PASSWORD, user.password_hash)


def test_every_printed_login_meets_a_page_of_its_own(clinic: Flask) -> None:
    first_pages = {email: first_page(clinic, email) for _, email in LOGINS}
    assert "Credentials" in first_pages["admin@attune.example"]
    assert "2 flags are waiting" in first_pages["duty@attune.example"]
    assert "2 flags are waiting" in first_pages["lead@attune.example"]
    therapist = first_pages[dict(LOGINS)["therapist"]]
    assert "today and in the next two weeks" in therapist
    assert "See who fits, and why" in first_pages[dict(LOGINS)["client, looking"]]


def first_page(clinic: Flask, email: str) -> str:
    clinic.config["WTF_CSRF_ENABLED"] = False
    browser = clinic.test_client()
    answer = browser.post("/sign-in", data={"email": email, "password": PASSWORD})
    if "second-step" in answer.location:
        browser.post(answer.location, data={"code": codes(clinic.extensions["clock"].now())[0]})
    return browser.get("/today", follow_redirects=True).text


def test_the_weights_have_a_history_and_each_list_comes_out_as_it_was_shown(clinic: Flask) -> None:
    lists = all_of(Proposal)
    assert {row.version for row in all_of(WeightsVersion)} == {1, 2}
    assert {one.weights_version for one in lists} == {1, 2}
    assert {replayed(one).verdict for one in lists} == {Verdict.same}


def test_other_weights_can_be_tried_out_with_something_to_see(clinic: Flask) -> None:
    weights = matching.DEFAULT_WEIGHTS, matching.Weights(2, concerns=150, price=260)
    _, keys = newest_lists(NOW - LOOKED_BACK)
    found = figures_of([one for one in seen_by(keys, weights, NOW) if one], findable(NOW))
    assert found["everybody"]["list"] > 0
    assert sum("people" in each for each in found["groups"]["language"]) >= 2
    assert any("people" in each for each in found["groups"]["state"])
    assert found["therapists"]["after"]["ever"] > 0


def test_a_second_start_adds_nothing(clinic: Flask) -> None:
    before = count_of_everything()
    said: list[str] = []
    seed_demo_if_empty(said.append)
    assert not said
    assert not is_empty()
    assert count_of_everything() == before


def count_of_everything() -> dict[str, int | None]:
    tables: Iterable[sa.Table] = Base.metadata.sorted_tables
    wanted = {table.name: sa.select(sa.func.count()).select_from(table) for table in tables}
    return {name: db.session.scalar(counted) for name, counted in wanted.items()}


def test_the_same_seed_makes_the_same_world(app: Flask) -> None:
    first, second, other = (names_of_a_world(app, seed) for seed in (7, 7, 8))
    assert first == second
    assert first != other


def names_of_a_world(app: Flask, seed: int) -> list[str]:
    with app.app_context():
        empty_database(db.engine)
        with unit_of_work() as session:
            world = make_world(session, app.extensions["settings"], Size(9, 3, 6), seed, NOW)
            return [
                *(f"{one.name} {one.fee} {one.skills}" for one in world.therapists),
                *(one.preferred_name for one in world.clients),
                *(one.title for one in world.groups),
            ]
