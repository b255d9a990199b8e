"""Whose care is counted, and which two sheets of it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from practice.consent.models import Purpose
from practice.intake.models import Assessment
from practice.outcomes.courses import Period, courses, has_any
from tests.builders.accounts import make_client
from tests.builders.consent import make_revocation, make_signature
from tests.builders.outcomes import BEGAN, make_answers, make_course, make_sheets
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PHQ, GAD = "phq-9", "gad-7"


@pytest.fixture
def rosa(session):
    return make_therapist(session, at=BEGAN - timedelta(days=30))


def counted(session):
    session.commit()
    return list(courses(Period.at(NOW)))


def test_counted_is_how_they_began_and_how_they_were_last(session, rosa):
    episode = make_course(session, rosa, first={PHQ: 17, GAD: 12}, last={PHQ: 8, GAD: 6})
    make_sheets(session, episode.client, {PHQ: 5}, at=NOW - timedelta(days=2))
    [course] = counted(session)
    assert course.first == {PHQ: 17, GAD: 12}
    assert course.last == {PHQ: 5, GAD: 6}
    assert course.therapist_id == rosa.id


def test_without_their_own_agreement_nobody_is_counted(session, rosa):
    make_course(session, rosa, first={PHQ: 17}, last={PHQ: 8}, agrees=False)
    assert counted(session) == []
    assert not has_any(Period.at(NOW))


@pytest.mark.parametrize("purpose", [Purpose.learning, Purpose.assessment, Purpose.privacy_notice])
def test_whoever_took_it_back_is_gone_with_the_next_count(session, rosa, purpose):
    client = make_client(session, consents=False, at=BEGAN)
    signed = {
        each: make_signature(session, client, each, at=BEGAN)
        for each in (Purpose.privacy_notice, Purpose.assessment, Purpose.learning)
    }
    episode = make_course(
        session, rosa, client=client, agrees=False, first={PHQ: 17}, last={PHQ: 8}
    )
    assert len(counted(session)) == 1
    make_revocation(session, signed[purpose])
    assert counted(session) == []
    assert episode.id


def test_a_second_sheet_within_four_weeks_or_after_the_end_says_nothing(session, rosa):
    early, late = (make_course(session, rosa, first={PHQ: 17}, last={}) for _ in range(2))
    make_sheets(session, early.client, {PHQ: 3}, at=BEGAN + timedelta(days=27))
    late.ended_at = BEGAN + timedelta(weeks=6)
    make_sheets(session, late.client, {PHQ: 3}, at=BEGAN + timedelta(weeks=7))
    assert counted(session) == []
    assert has_any(Period.at(NOW))


def test_a_first_sheet_that_is_old_or_not_complete_says_nothing(session, rosa):
    old = make_course(session, rosa, first={}, last={PHQ: 8})
    make_sheets(session, old.client, {PHQ: 17}, at=BEGAN - timedelta(days=91))
    make_course(session, rosa, first={PHQ: None}, last={PHQ: 8})
    assert counted(session) == []


def test_only_an_instrument_answered_both_times_counts(session, rosa):
    make_course(session, rosa, first={PHQ: 17, GAD: 12}, last={GAD: 6})
    make_course(session, rosa, first={PHQ: 17}, last={GAD: 6})
    [course] = counted(session)
    assert (course.first, course.last) == ({GAD: 12}, {GAD: 6})


def test_headings_are_those_of_what_they_came_with(session, rosa):
    episode = make_course(
        session,
        rosa,
        first={PHQ: 17},
        last={PHQ: 8},
        concerns={"panic": 3, "worry": 1, "depression": 2},
    )
    make_answers(session, episode.client, {"grief": 3}, at=BEGAN + timedelta(weeks=3))
    [course] = counted(session)
    assert course.domains == {"worry": 4, "mood": 2}


def test_a_sheet_that_does_not_open_is_left_out_and_the_others_count(session, rosa):
    """Otherwise nothing would be counted any more, and what was taken back would stay."""
    broken = make_course(session, rosa, first={PHQ: 17}, last={PHQ: 8})
    make_course(session, rosa, first={PHQ: 12}, last={PHQ: 6})
    *_, other = session.scalars(sa.select(Assessment).order_by(Assessment.id))
    sheets = sa.update(Assessment).where(Assessment.client_id == broken.client_id)
    session.execute(sheets.values(result_sealed=other.result_sealed))
    [course] = counted(session)
    assert course.first == {PHQ: 12}


def test_care_that_began_lately_or_long_ago_is_not_counted(session, rosa):
    for began in (NOW - timedelta(days=27), NOW - timedelta(days=3 * 365 + 1)):
        make_course(session, rosa, first={PHQ: 17}, last={PHQ: 8}, at=began)
    assert counted(session) == []
