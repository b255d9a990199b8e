"""Worlds of any size, in which everything happens after what it needs."""

from collections import Counter

import pytest
import sqlalchemy as sa

from core.config import current_settings
from core.database import db, unit_of_work
from practice.appointments.models import Appointment, AppointmentState
from practice.care.models import Episode
from practice.consent.models import Purpose, Signature
from practice.intake.duty import promise
from practice.intake.models import Intake, RiskFlag
from practice.matches.models import MatchRequest
from practice.seed import clients
from practice.seed.demo import is_empty, logins
from practice.seed.world import Size, make_world
from tests.builders.accounts import make_user
from tests.builders.kept import kept
from tests.conftest import NOW

# One worker builds the town, once.
pytestmark = pytest.mark.xdist_group("the town")


def make(app, size, seed=1):
    with unit_of_work() as session:
        return make_world(session, app.extensions["settings"], size, seed, NOW)


def all_of(kind):
    return db.session.scalars(sa.select(kind)).unique().all()


@kept
def make_town(session):
    make_world(session, current_settings(), Size(therapists=20, groups=5, clients=80), 1, NOW)


@pytest.fixture
def town(session):
    with unit_of_work() as work:
        make_town(work)


def test_nobody_answers_before_they_had_an_account_and_agreed(town):
    agreed = {
        (one.client_id, one.purpose): one.signed_at
        for one in all_of(Signature)
        if one.purpose in {Purpose.privacy_notice, Purpose.assessment}
    }
    intakes = all_of(Intake)
    assert intakes
    for intake in intakes:
        for purpose in (Purpose.privacy_notice, Purpose.assessment):
            assert agreed[intake.client_id, purpose] <= intake.started_at
        assert intake.client.created_at <= agreed[intake.client_id, Purpose.privacy_notice]


def test_nobody_asks_before_their_answers_were_finished(town):
    submitted = {one.client_id: one.submitted_at for one in all_of(Intake)}
    requests = all_of(MatchRequest)
    assert requests
    for request in requests:
        assert submitted[request.client_id] <= request.sent_at
        assert request.answered_at is None or request.sent_at <= request.answered_at <= NOW


def test_care_opens_after_the_answer_and_meetings_follow(town):
    episodes = all_of(Episode)
    assert episodes
    for episode in episodes:
        assert episode.request.answered_at <= episode.opened_at
        meetings = [one for one in all_of(Appointment) if one.episode_id == episode.id]
        assert meetings
        assert all(one.starts_at > episode.opened_at for one in meetings)
        first = min(meetings, key=lambda one: one.starts_at)
        assert first.request_id == episode.request_id


def test_open_flags_are_of_today_and_promise_what_the_rota_says(town):
    waiting = [one for one in all_of(RiskFlag) if one.is_open]
    assert waiting
    for flag in waiting:
        assert (NOW - flag.raised_at).total_seconds() < 24 * 3600
        assert flag.promised == promise(flag.raised_at, flag.client.zone)


@pytest.mark.parametrize(
    "size",
    [Size(0, 0, 0), Size(0, 4, 5), Size(1, 15, 1), Size(5, 0, 0), Size(3, 40, 45)],
    ids=str,
)
def test_a_world_may_be_small_or_lopsided(app, session, size):
    world = make(app, size)
    assert len(world.therapists) == size.therapists
    assert len(world.clients) == size.clients
    assert len(world.groups) == (size.groups if size.therapists else 0)


def test_a_world_may_have_more_people_than_hours(app, session, monkeypatch):
    monkeypatch.setattr(clients, "DAYS_LOOKED_AT", 5)
    make(app, Size(therapists=1, groups=0, clients=80))
    booked = [one for one in all_of(Appointment) if one.state is AppointmentState.booked]
    taken = Counter((one.therapist_id, one.starts_at) for one in booked)
    assert set(taken.values()) == {1}
    assert len(booked) < 4 * len(all_of(Episode))


def test_a_database_of_other_people_prints_no_logins(session):
    make_user(session)
    assert not is_empty()
    assert list(logins()) == []
