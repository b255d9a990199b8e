"""The records custodian: closed records only, found exactly, with a reason, for an hour."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from practice.accounts.models import Role
from practice.care import operations
from practice.care.closing import write_note
from practice.care.custody import NothingClosed, look_up
from practice.care.models import EndReason, LookupReason, RecordLookup
from practice.care.queries import openings_of
from tests.builders.accounts import look_again, make_user, sign_in
from tests.builders.care import make_episode
from tests.builders.intake import STORY
from tests.conftest import NOW
from tests.practice.care.pages import text

NOTE = "canary-7302: a note that the law keeps."
WORDS = "Their new doctor asks, and they agreed in writing."
CLOSED = NOW + timedelta(days=30)


@pytest.fixture
def custodian(session):
    return make_user(session, name="Idris Vaughan", roles=(Role.records_custodian,))


@pytest.fixture
def episode(session):
    """Ended at NOW, with a note."""
    episode = make_episode(session)
    operations.end(session, episode, EndReason.completed, episode.therapist.user, NOW)
    write_note(session, episode, NOTE, episode.therapist.user, NOW)
    return episode


def search(http, who):
    return http.post("/records", data={"who": who, "reason": "release", "words": WORDS})


def the_lookup(session):
    look_again(session)
    return session.scalars(sa.select(RecordLookup)).one()


def test_a_closed_record_is_found_and_read_with_a_reason(session, http, clock, custodian, episode):
    clock.move_to(CLOSED)
    sign_in(http, custodian)
    assert "Nothing is open to you now" in text(http.get("/records"))
    assert search(http, episode.client.user.email).status_code == 303
    assert "Sam" in text(http.get("/records"))
    page = text(http.get(f"/records/{the_lookup(session).public_id}"))
    for held in (STORY, NOTE, "PHQ-9 over time", "The work is done"):
        assert held in page


def test_each_opening_is_one_row_with_the_reason_and_the_client_reads_it(
    session, http, clock, custodian, episode
):
    clock.move_to(CLOSED)
    sign_in(http, custodian)
    search(http, str(episode.client.public_id))
    http.get(f"/records/{the_lookup(session).public_id}")
    look_again(session)
    rows = session.scalars(sa.select(AuditEntry).filter_by(action="closed_record.viewed")).all()
    assert [row.details["reason"] for row in rows] == ["release"]
    [opening] = [one for one in openings_of(episode.client) if one.at == CLOSED]
    assert opening.who_label == "Idris Vaughan"
    assert opening.role_label == "Records custodian"
    assert opening.what_label == "Your closed record"
    assert opening.reason_label == "Another provider asks, and the client agreed"
    assert WORDS not in str(rows[0].details)


@pytest.mark.parametrize("days", [0, 29])
def test_before_thirty_days_are_over_the_custodian_finds_nothing(
    session, http, clock, custodian, episode, days
):
    clock.move_to(NOW + timedelta(days=days))
    sign_in(http, custodian)
    answer = search(http, episode.client.user.email)
    assert answer.status_code == 422
    assert "No closed record stands under exactly this" in text(answer)


def test_care_that_goes_on_is_never_shown_with_what_is_closed(
    session, http, clock, custodian, episode
):
    clock.move_to(CLOSED)
    lookups = look_up(session, "Sam", LookupReason.law, WORDS, custodian, CLOSED)
    sign_in(http, custodian)
    page = f"/records/{lookups[0].public_id}"
    assert http.get(page).status_code == 200
    # Were the same care open again, nothing of it would be there.
    look_again(session)
    episode.ended_at = None
    session.commit()
    assert http.get(page).status_code == 404
    with pytest.raises(NothingClosed):
        look_up(session, "Sam", LookupReason.law, WORDS, custodian, CLOSED)


def test_a_part_of_a_name_finds_nobody(session, custodian, episode):
    for part in ("Sa", "", "%", "sam@"):
        with pytest.raises(NothingClosed):
            look_up(session, part, LookupReason.law, WORDS, custodian, CLOSED)
    assert look_up(session, "sAm", LookupReason.law, WORDS, custodian, CLOSED)


def test_what_was_found_closes_after_an_hour_and_is_the_finders_alone(
    session, http, clock, custodian, episode
):
    other = make_user(session, roles=(Role.records_custodian,))
    [lookup] = look_up(session, "Sam", LookupReason.law, WORDS, custodian, CLOSED)
    page = f"/records/{lookup.public_id}"
    clock.move_to(CLOSED + timedelta(minutes=59))
    sign_in(http, other)
    assert http.get(page).status_code == 404
    assert "Sam" not in text(http.get("/records"))
    sign_in(http, custodian)
    assert http.get(page).status_code == 200
    clock.move(timedelta(minutes=1))
    assert http.get(page).status_code == 404


@pytest.mark.parametrize("field", ["who", "reason", "words"])
def test_without_a_reason_nothing_is_searched(session, http, clock, custodian, episode, field):
    clock.move_to(CLOSED)
    sign_in(http, custodian)
    given = {"who": "Sam", "reason": "law", "words": WORDS} | {field: ""}
    assert http.post("/records", data=given).status_code == 422
    assert session.scalars(sa.select(RecordLookup)).all() == []


def test_nobody_is_the_custodian_of_their_own_record(session, custodian, episode):
    episode.client.user = custodian
    session.flush()
    with pytest.raises(NothingClosed):
        look_up(session, "Sam", LookupReason.law, WORDS, custodian, CLOSED)


@pytest.mark.parametrize(
    ("who", "by", "opened", "found"),
    [
        ("SAM", "name", 3, 3),
        ("Josef Müller", "name", 3, 1),
        ("José  Muller", "name", 3, 0),
        ("nobody", "name", 3, 0),
        ("somebody@example.test", "address_or_number", 0, 1),
        ("nobody@example.test", "address_or_number", 0, 0),
    ],
)
def test_each_search_is_one_row_that_says_how_many_names_were_opened(
    session, http, clock, custodian, episode, who, by, opened, found
):
    for nth in (1, 2):
        other = make_episode(session, therapist=episode.therapist, nth=nth)
        operations.end(session, other, EndReason.completed, other.therapist.user, NOW)
    other.client.user.name = "Josef Muller"
    episode.client.user.email = "somebody@example.test"
    make_episode(session, therapist=episode.therapist, nth=3)
    clock.move_to(CLOSED)
    sign_in(http, custodian)
    assert search(http, who).status_code == (303 if found else 422)
    look_again(session)
    [row] = session.scalars(sa.select(AuditEntry).filter_by(action="records.searched"))
    assert row.details == {"by": by, "names_opened": opened, "found": found}
    assert (row.actor_id, row.client_id) == (custodian.public_id, None)
    lookups = session.scalars(sa.select(AuditEntry).filter_by(action="record.looked_up")).all()
    assert len(lookups) == found


def test_a_name_is_found_without_its_capitals_and_accents(session, custodian, episode):
    episode.client.user.name = "Renée  de la Cruz"
    session.flush()
    for typed in ("renee de la cruz", "RENÉE DE LA CRUZ", " Renée de la Cruz"):
        assert look_up(session, typed, LookupReason.law, WORDS, custodian, CLOSED)
    for part in ("renee", "de la cruz", "renee de la"):
        with pytest.raises(NothingClosed):
            look_up(session, part, LookupReason.law, WORDS, custodian, CLOSED)


def test_of_a_common_name_nobody_is_found(session, http, clock, custodian, episode):
    for nth in range(1, 6):
        other = make_episode(session, therapist=episode.therapist, nth=nth)
        operations.end(session, other, EndReason.completed, other.therapist.user, NOW)
    clock.move_to(CLOSED)
    sign_in(http, custodian)
    answer = search(http, "Sam")
    assert answer.status_code == 422
    assert "Several people have that name" in text(answer)
    assert session.scalars(sa.select(RecordLookup)).all() == []
