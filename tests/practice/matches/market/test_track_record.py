"""Track record on a client's page and in the market: two lines, and nobody is told apart."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

import matching
from core.clock import FrozenClock
from core.database import db, unit_of_work
from practice.app import create_app
from practice.matches.market.changes import change_everybody
from practice.matches.market.index import market_at
from practice.matches.market.track_record import (
    COUNT_IS_GOOD_FOR,
    TrackRecord,
    TrackRecordDecision,
    TrackRecordStep,
    is_on,
)
from practice.matches.models import Proposal
from practice.outcomes import operations
from practice.therapists.models import Therapist
from tests.builders.accounts import sign_in
from tests.builders.matches import make_seeker
from tests.builders.outcomes import make_agreement, make_record, make_report, turn_on
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

WORRIED = matching.Client(place="US-WA", on=NOW.date(), domain="worry")


@pytest.fixture
def rosa(session):
    """Agreed, with a record of 700 and a bonus of 60 in worry."""
    rosa = make_therapist(session, "Rosa Almeida")
    make_agreement(session, rosa)
    make_record(session, rosa)
    return rosa


@pytest.fixture
def other(app, settings):
    """A second web process over the same database, with a market of its own."""
    other = create_app(settings, FrozenClock(NOW))
    yield other
    with other.app_context():
        db.engine.dispose()


def lines_of(process, therapist, asking=WORRIED):
    with process.app_context(), market_at(NOW, "US-WA").held() as index:
        points = index.explain(asking, str(therapist.public_id)).points
    return {line: points[line] for line in ("record", "little_known") if line in points}


def test_while_it_is_off_everybody_stands_at_500_without_a_bonus(session, app, rosa):
    make_report(session)
    session.commit()
    assert lines_of(app, rosa) == {"record": 25_000}


def test_on_it_counts_for_whoever_agreed_in_their_headings_alone(session, app, rosa):
    turn_on(session)
    session.commit()
    assert lines_of(app, rosa) == {"record": 35_000, "little_known": 3_000}
    mood = matching.Client(place="US-WA", on=NOW.date(), domain="mood")
    assert lines_of(app, rosa, mood) == {"record": 25_000, "little_known": 6_000}


def test_who_has_not_agreed_who_has_too_few_and_who_is_new_have_the_same(session, app, rosa):
    turn_on(session)
    declined, few, new = (make_therapist(session, name) for name in ("Sven", "Lena", "Omar"))
    make_record(session, declined)
    make_agreement(session, few)
    make_record(session, few, counting={"mood": [400, 90]})
    session.commit()
    found = [lines_of(app, each) for each in (declined, few, new)]
    assert found == [{"record": 25_000, "little_known": 6_000}] * 3


def test_taken_back_in_one_process_it_counts_at_the_others_next_page_no_more(
    session, app, other, rosa
):
    turn_on(session)
    session.commit()
    assert lines_of(other, rosa)["record"] == 35_000
    with app.app_context(), unit_of_work() as writing:
        mine = writing.get(Therapist, rosa.id)
        operations.take_back(writing, mine, mine.user, NOW)
    assert lines_of(other, rosa) == {"record": 25_000, "little_known": 6_000}


def test_turned_off_in_one_process_it_is_off_at_the_others_next_page(session, app, other, rosa):
    turn_on(session)
    session.commit()
    assert lines_of(other, rosa)["record"] == 35_000
    with app.app_context(), unit_of_work() as writing:
        writing.add(
            TrackRecordDecision(step=TrackRecordStep.turned_off, reason="Enough.", decided_at=NOW)
        )
    assert lines_of(other, rosa) == {"record": 25_000}


def test_a_proposal_or_a_refusal_turns_nothing_on(session, app, rosa):
    make_report(session)
    for step in (TrackRecordStep.proposed, TrackRecordStep.refused):
        session.add(TrackRecordDecision(step=step, reason="Perhaps.", decided_at=NOW))
        session.commit()
        assert lines_of(app, rosa) == {"record": 25_000}


def card(http, session, client, therapist):
    sign_in(http, client.user)
    page = BeautifulSoup(http.get("/matches").text, "html.parser")
    return page.select_one(f"#therapist-{therapist.public_id}")


def test_the_card_shows_both_lines_adding_up_and_says_what_they_are(session, http, rosa):
    turn_on(session)
    client = make_seeker(session)
    found = card(http, session, client, rosa)
    rows = [each.get_text(" ", strip=True) for each in found.select(".sum li")]
    assert any(row.startswith("Track record 35") for row in rows)
    assert any(row.startswith("Not much known yet 3") for row in rows)
    figures = [int(each.get_text().split(" of ")[0]) for each in found.select(".sum .num")]
    assert sum(figures[:-1]) == figures[-1]
    words = found.get_text(" ", strip=True)
    assert "people with similar difficulties tended to end somewhat better" in words
    assert "it is uncertain, and it cannot say how it will go for you" in words


def test_while_it_is_off_the_card_says_that_the_line_is_the_same_for_everyone(session, http, rosa):
    client = make_seeker(session)
    words = card(http, session, client, rosa).get_text(" ", strip=True)
    assert "Track record (the same for everyone)" in words
    assert "Not much known yet" not in words
    assert "similar difficulties" not in words


def test_what_was_shown_is_kept_with_the_record_it_was_made_with(session, http, rosa):
    turn_on(session)
    client = make_seeker(session)
    card(http, session, client, rosa)
    session.rollback()
    [proposal] = session.scalars(sa.select(Proposal))
    kept = matching.Therapist.from_json(proposal.shown[0])
    assert kept.record["worry"] == (700, 60)
    assert matching.Client.from_json(proposal.client_inputs).domain == "worry"


def test_without_a_concern_nobody_has_a_record(session, app, rosa):
    turn_on(session)
    session.commit()
    nothing = matching.Client(place="US-WA", on=NOW.date())
    assert lines_of(app, rosa, nothing) == {"record": 25_000}


def lay_out_at(process, at, therapist):
    """What a page shows at `at`, from the market that the process keeps."""
    with process.app_context(), market_at(at, "US-WA").held() as index:
        points = index.explain(WORRIED, str(therapist.public_id)).points
    return {line: points[line] for line in ("record", "little_known") if line in points}


def test_when_the_last_count_is_too_old_it_counts_for_nobody_until_a_new_one(session, app, rosa):
    """In a process that laid the market out before, too, and without a decision of anybody."""
    turn_on(session)
    rosa.hours_confirmed_at = NOW + timedelta(days=3)
    session.commit()
    too_old = NOW + COUNT_IS_GOOD_FOR
    counts = {"record": 35_000, "little_known": 3_000}
    assert lay_out_at(app, NOW, rosa) == counts
    assert lay_out_at(app, too_old - timedelta(seconds=1), rosa) == counts
    assert lay_out_at(app, too_old, rosa) == {"record": 25_000}
    make_report(session, at=too_old)
    change_everybody(session)
    session.commit()
    assert lay_out_at(app, too_old, rosa) == counts
    assert is_on(session)


def test_while_the_last_count_is_too_old_the_card_shows_no_track_record(session, http, rosa):
    turn_on(session, at=NOW - COUNT_IS_GOOD_FOR)
    client = make_seeker(session)
    words = card(http, session, client, rosa).get_text(" ", strip=True)
    assert "Track record (the same for everyone)" in words
    assert "Not much known yet" not in words


DAMAGED = {
    "its bytes were changed": None,
    "it has another shape": {"counting": 40},
    "it is no record": [1, 2],
    "its figures are too large": {"counting": {"worry": [7000, 60]}},
    "its figures are none": {"counting": {"worry": ["700", 60]}},
    "nobody knows its heading": {"counting": {"weather": [700, 60]}},
    "what only its own page says is none": {"overall": [0.1, None, 0.3]},
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_record_is_logged_and_left_out_and_nobody_else_is(
    session, app, rosa, how, caplog
):
    turn_on(session)
    sven = make_therapist(session, "Sven Lind")
    make_agreement(session, sven)
    damage(session, make_record(session, sven), DAMAGED[how])
    caplog.set_level("INFO", "attune")
    assert lines_of(app, rosa) == {"record": 35_000, "little_known": 3_000}
    assert lines_of(app, sven) == {"record": 25_000, "little_known": 6_000}
    [line] = [each for each in caplog.messages if "record_damaged" in each]
    assert json.loads(line).keys() == {"at", "event", "error"}


def damage(session, row, figures):
    """With `figures` in their place, or of the bytes the last one changed."""
    if figures is not None:
        row.figures = row.figures | figures if isinstance(figures, dict) else figures
        session.commit()
        return
    session.commit()
    sealed = row.figures_sealed
    worse = sealed[:-1] + bytes([sealed[-1] ^ 1])
    table = TrackRecord.__table__
    session.execute(sa.update(table).where(table.c.id == row.id).values(figures_sealed=worse))
    session.commit()
