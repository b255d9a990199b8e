"""Answers are kept as given, scored when submitted and forgotten when they must be."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from core.outbox import OutboxMessage
from practice.intake import operations, queries
from practice.intake.models import Assessment, Intake, IntakeAnswer, RiskFlag
from practice.intake.operations import NothingToSubmit
from practice.intake.pages import KEYS
from practice.intake.queries import RECALL
from tests.builders.accounts import make_client
from tests.builders.intake import ANSWERS, STORY, make_intake
from tests.conftest import NOW

LATER = NOW + timedelta(days=3)


@contextmanager
def counted_statements(session):
    statements = []

    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


def scored(session, client):
    return queries.latest_assessments([client.id])[client.id]


def test_an_answer_is_kept_as_given_and_the_later_one_stands(session):
    client = make_client(session)
    operations.give(session, client, "story", "first words", NOW)
    intake = operations.give(session, client, "story", "other words", LATER)
    assert queries.answers_of(intake) == {"story": "other words"}
    assert session.scalars(sa.select(Intake)).one() is intake


def test_a_skipped_page_is_not_the_same_as_one_never_reached(session):
    intake = operations.give(session, make_client(session), "story", None, NOW)
    assert queries.answers_of(intake) == {"story": None}


def test_submitting_scores_each_questionnaire(session):
    client = make_client(session)
    intake = make_intake(session, client)
    phq, gad = scored(session, client)["phq-9"], scored(session, client)["gad-7"]
    assert (phq.total, phq.band, phq.is_complete, phq.intake_id) == (
        10,
        "moderate",
        True,
        intake.id,
    )
    assert (gad.total, gad.band, gad.responses) == (7, "mild", [1] * 7)


def test_a_sheet_with_a_gap_is_kept_without_a_total_and_never_as_a_zero(session):
    client = make_client(session)
    make_intake(session, client, phq_9_4=None)
    phq = scored(session, client)["phq-9"]
    assert (phq.total, phq.band, phq.is_complete) == (None, None, False)
    assert phq.responses == [2, 2, 2, None, 1, 1, 1, 0, 0]


def test_an_intake_in_which_everything_is_skipped_can_be_submitted(session):
    client = make_client(session)
    make_intake(session, client, answers=dict.fromkeys(KEYS))
    assert {one.total for one in scored(session, client).values()} == {None}


def test_an_intake_without_a_single_answer_can_be_submitted_and_scores_nothing(session):
    client = make_client(session)
    operations.begin(session, client, NOW)
    operations.submit(session, client, NOW)
    assert scored(session, client) == {}


def test_the_same_answers_cannot_be_submitted_twice(session):
    client = make_client(session)
    make_intake(session, client)
    with pytest.raises(NothingToSubmit):
        operations.submit(session, client, LATER)
    assert len(session.scalars(sa.select(Assessment)).all()) == 2


def test_starting_again_begins_from_the_last_answers_and_leaves_those_as_they_were(session):
    client = make_client(session)
    first = make_intake(session, client)
    second = operations.begin(session, client, LATER)
    assert queries.answers_of(second) == queries.answers_of(first) == dict(ANSWERS)
    operations.give(session, client, "story", "new words", LATER)
    assert queries.latest_submitted(client) is first
    assert queries.answers_of(first)["story"] == STORY


def test_a_questionnaire_about_two_weeks_is_asked_anew_when_they_have_passed(session):
    client = make_client(session)
    make_intake(session, client)
    again = queries.answers_of(operations.begin(session, client, NOW + RECALL))
    assert "phq-9-1" not in again
    assert "gad-7-7" not in again
    assert again["birth-year"] == 1990


def test_changing_a_wish_does_not_score_the_questionnaires_again(session):
    client = make_client(session)
    make_intake(session, client)
    before = scored(session, client)
    operations.give(session, client, "wishes", {}, LATER)
    operations.submit(session, client, LATER)
    assert scored(session, client) == before
    assert queries.latest_submitted(client).submitted_at == LATER


def test_the_newest_assessment_of_each_client_comes_in_one_query(session):
    sam, alex = make_client(session), make_client(session)
    make_intake(session, sam)
    make_intake(session, sam, phq_9_1=0, at=LATER)
    make_intake(session, alex)
    nobody = make_client(session)
    with counted_statements(session) as statements:
        latest = queries.latest_assessments([sam.id, alex.id, nobody.id])
    assert len(statements) == 1
    assert latest[sam.id]["phq-9"].total == 8
    assert latest[alex.id]["phq-9"].total == 10
    assert latest[nobody.id] == {}


def test_a_place_is_known_to_other_rooms_at_once_and_brings_its_clock(session):
    client = make_client(session, place="")
    operations.give(session, client, "place", "US-NY", NOW)
    assert (client.place, client.zone) == ("US-NY", "America/New_York")
    operations.give(session, client, "hours", {"zone": "America/Chicago", "windows": []}, NOW)
    operations.give(session, client, "place", "US-WA", NOW)
    assert (client.place, client.zone) == ("US-WA", "America/Chicago")
    operations.give(session, client, "place", None, NOW)
    assert client.place == ""


@pytest.mark.parametrize("year", [2009, 2010, 2026])
def test_nothing_of_an_intake_is_kept_when_the_person_is_younger_than_18(session, year):
    client = make_client(session)
    make_intake(session, client, submitted=False)
    assert operations.give(session, client, "birth-year", year, NOW) is None
    assert session.scalars(sa.select(Intake)).all() == []
    assert session.scalars(sa.select(IntakeAnswer)).all() == []
    kept = " ".join(str(entry.details) for entry in session.scalars(sa.select(AuditEntry)))
    assert str(year) not in kept


def test_somebody_who_turns_18_this_year_is_taken_at_their_word(session):
    client = make_client(session)
    assert operations.give(session, client, "birth-year", 2008, NOW) is not None


def test_somebody_too_young_who_may_be_in_danger_is_still_looked_for(session):
    client = make_client(session)
    intake = make_intake(session, client, phq_9_9=1, submitted=False)
    operations.give(session, client, "birth-year", 2012, NOW)
    assert session.get(Intake, intake.id) is None
    flag = session.scalars(sa.select(RiskFlag)).one()
    assert (flag.client, flag.intake, flag.is_open) == (client, None, True)


def test_neither_audit_nor_outbox_hold_a_word_of_the_answers(session):
    make_intake(session, story="canary in the story", phq_9_9=3)
    rows = [*session.scalars(sa.select(AuditEntry)), *session.scalars(sa.select(OutboxMessage))]
    assert rows
    for row in rows:
        told = " ".join(str(value) for value in vars(row).values())
        assert "canary" not in told
        assert "phq" not in told


def test_an_instant_in_another_zone_is_kept_as_the_same_instant(session):
    at = datetime(2026, 12, 1, 18, tzinfo=UTC)
    intake = make_intake(session, at=at)
    session.commit()
    session.expire_all()
    assert intake.submitted_at == at


def test_what_the_pages_told_about_a_young_person_is_forgotten_too(session):
    client = make_client(session, place="", zone="America/Los_Angeles")
    make_intake(session, client, answers={"place": "US-NY"}, submitted=False)
    operations.give(session, client, "birth-year", 2012, NOW)
    assert (client.place, client.zone) == ("", "America/Los_Angeles")


def test_forgetting_a_run_leaves_what_was_finished_earlier(session):
    client = make_client(session, place="")
    make_intake(session, client, answers={"place": "US-NY"})
    make_intake(session, client, answers={"place": "US-WA"}, submitted=False)
    operations.give(session, client, "birth-year", 2012, NOW)
    assert (client.place, client.zone) == ("US-NY", "America/New_York")


def test_the_place_stays_while_somebody_has_to_reach_a_young_person(session):
    client = make_client(session, place="")
    make_intake(session, client, answers={"place": "US-NY", "phq-9-9": 2}, submitted=False)
    operations.give(session, client, "birth-year", 2012, NOW)
    assert client.place == "US-NY"
