"""A therapist's own record: theirs alone, off by default, taken back at once."""

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from practice.accounts.models import Role
from practice.matches.market.track_record import TrackRecord, TrackRecordAgreement
from practice.outcomes import operations, words
from tests.builders.accounts import look_again, make_user, sign_in
from tests.builders.outcomes import make_agreement, make_record, turn_on
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PAGE = "/profile/track-record"


@pytest.fixture
def rosa(session):
    return make_therapist(session, "Rosa Almeida")


def text_of(http, therapist):
    sign_in(http, therapist.user)
    return BeautifulSoup(http.get(PAGE).text, "html.parser").main.get_text(" ", strip=True)


def agreements(session):
    return list(session.scalars(sa.select(TrackRecordAgreement)))


def test_nobody_has_agreed_by_default(session, http, rosa):
    assert "not agreed" in text_of(http, rosa)
    assert agreements(session) == []


def test_a_therapist_agrees_and_takes_it_back_and_both_are_written_down(session, http, rosa):
    sign_in(http, rosa.user)
    http.post(f"{PAGE}/agreement")
    http.post(f"{PAGE}/agreement")
    look_again(session)
    [agreement] = agreements(session)
    assert agreement.taken_back_at is None
    http.post(f"{PAGE}/agreement/end")
    look_again(session)
    assert agreement.taken_back_at == NOW
    acts = sa.select(AuditEntry.action).where(AuditEntry.action.startswith("track_record."))
    assert list(session.scalars(acts.order_by(AuditEntry.id))) == [
        "track_record.agreed",
        "track_record.taken_back",
    ]


def test_taking_it_back_deletes_what_was_worked_out(session, http, rosa):
    make_agreement(session, rosa)
    make_record(session, rosa)
    sign_in(http, rosa.user)
    http.post(f"{PAGE}/agreement/end")
    look_again(session)
    assert session.scalar(sa.select(sa.func.count()).select_from(TrackRecord)) == 0


def test_the_page_says_how_many_how_severe_and_how_unsure(session, http, rosa):
    make_agreement(session, rosa)
    make_record(session, rosa)
    said = text_of(http, rosa)
    assert "From 40 cases or a few more" in said
    assert "Your clients came much more unwell than others do." in said
    assert "raises your figures by 0.30 of the usual spread between people" in said
    assert "people did somewhat better than with others" in said
    assert "Worry and fear" in said
    assert "20+ +0.20 0.00 to +0.40" in said
    assert "counts in nothing while the clinic has it off" in said


def test_one_client_more_is_not_read_off_the_page(session, http, rosa):
    make_agreement(session, rosa)
    record = make_record(session, rosa)
    before = text_of(http, rosa)
    worry = {"worry": {"cases": 23, "effect": [0.21, -0.01, 0.41]}}
    changes = {"cases": 41, "adjustment": 0.32, "overall": [0.19, 0.01, 0.35], "domains": worry}
    record.figures = record.figures | changes
    session.commit()
    assert text_of(http, rosa) == before


def test_of_two_clicks_at_once_one_agreement_stands(session, rosa, monkeypatch):
    make_agreement(session, rosa)
    monkeypatch.setattr(operations, "standing_agreement", lambda *_: None)
    operations.consent(session, rosa, rosa.user, NOW)
    assert len(agreements(session)) == 1
    acts = sa.select(AuditEntry.action).where(AuditEntry.action == "track_record.agreed")
    assert session.scalars(acts).all() == []


def test_the_page_says_when_the_clinic_has_it_on(session, http, rosa):
    make_agreement(session, rosa)
    turn_on(session)
    assert "It counts in matches." in text_of(http, rosa)


def test_with_too_few_cases_not_even_their_number_is_said(session, http, rosa):
    make_agreement(session, rosa)
    nothing = {"cases": None, "severity": None, "adjustment": None, "overall": None}
    make_record(session, rosa, domains={}, counting={}, **nothing)
    said = text_of(http, rosa)
    assert "Too few cases to say anything" in said


def test_a_record_that_was_left_behind_is_not_shown_without_an_agreement(session, http, rosa):
    make_record(session, rosa)
    assert "40 cases" not in text_of(http, rosa)


def test_nobody_reads_anybody_elses_record(session, http, rosa):
    make_agreement(session, rosa)
    make_record(session, rosa)
    sven = make_therapist(session, "Sven Lind")
    make_agreement(session, sven)
    said = text_of(http, sven)
    assert "Nothing is worked out yet" in said
    assert "Rosa" not in said
    for role in (Role.clinical_lead, Role.administrator, Role.client):
        sign_in(http, make_user(session, roles=[role]))
        assert http.get(PAGE).status_code == 404


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ([0.2, 0.05, 0.35], "somewhat better"),
        ([-0.2, -0.35, -0.05], "somewhat less well"),
        ([0.2, -0.05, 0.45], "about as with others"),
    ],
)
def test_better_or_worse_is_said_only_where_chance_is_ruled_out(interval, said):
    assert said in words.effect_words(interval)


def test_a_mild_and_a_usual_caseload_are_told_as_plainly():
    assert "less unwell" in words.severity_words(-0.3)
    assert "about as unwell" in words.severity_words(0.05)
    assert "hardly moves" in words.adjustment_words(-0.02)
    assert "lowers your figures by 0.20" in words.adjustment_words(-0.2)


CANNOT_BE_READ = "Your record cannot be read just now"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cases", "forty"),
        ("cases", True),
        ("cases", -40),
        ("severity", None),
        ("severity", "much"),
        ("adjustment", [0.1]),
        ("adjustment", float("nan")),
        ("overall", None),
        ("overall", [0.1, 0.2]),
        ("overall", [0.1, None, 0.2]),
        ("overall", "all"),
        ("domains", None),
        ("domains", {"weather": {"cases": 20, "effect": [0.1, 0.0, 0.2]}}),
        ("domains", {"worry": {"effect": [0.1, 0.0, 0.2]}}),
        ("domains", {"worry": {"cases": 20, "effect": [0.1, 0.0, float("inf")]}}),
        ("counting", {"worry": [7000, 60]}),
    ],
)
def test_of_a_record_with_one_figure_that_is_none_nothing_is_said(
    session, http, rosa, field, value
):
    make_agreement(session, rosa)
    record = make_record(session, rosa)
    record.figures = record.figures | {field: value}
    session.commit()
    said = text_of(http, rosa)
    assert CANNOT_BE_READ in said
    assert "cases or a few more" not in said


@pytest.mark.parametrize("field", ["cases", "severity", "adjustment", "overall", "domains"])
def test_of_a_record_without_one_of_its_figures_nothing_is_said(session, http, rosa, field):
    make_agreement(session, rosa)
    record = make_record(session, rosa)
    record.figures = {name: each for name, each in record.figures.items() if name != field}
    session.commit()
    assert CANNOT_BE_READ in text_of(http, rosa)


def test_a_damaged_record_is_told_to_its_owner_until_the_next_count(session, http, rosa):
    make_agreement(session, rosa)
    row = make_record(session, rosa)
    session.commit()
    table, sealed = TrackRecord.__table__, row.figures_sealed
    damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    session.execute(sa.update(table).where(table.c.id == row.id).values(figures_sealed=damaged))
    session.commit()
    said = text_of(http, rosa)
    assert CANNOT_BE_READ in said
    assert "The count that is made once a day writes your record anew." in said
