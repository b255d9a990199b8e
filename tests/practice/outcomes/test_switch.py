"""The clinic's switch: off by default, held by the figures, turned on by two and off by one."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from core.errors import WrongState
from core.outbox import drain
from practice.accounts.models import Role, UserRole
from practice.accounts.two_people import OneHand, SamePerson
from practice.matches.market.track_record import (
    OFF,
    TrackRecordDecision,
    is_on,
    newest_report,
    records_among,
)
from practice.outcomes import counting, operations
from practice.outcomes.gate import obstacles
from practice.outcomes.operations import NotGoodEnough
from practice.therapists.models import Therapist
from tests.builders.accounts import look_again, make_user, sign_in
from tests.builders.outcomes import make_agreement, make_report, turn_on
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PAGE = "/oversight/track-record"
OWN_PAGE = "/profile/track-record"
WHY = "We want newcomers and experience to count."


@pytest.fixture
def clara(session):
    return make_user(session, roles=[Role.clinical_lead], name="Clara")


@pytest.fixture
def ines(session):
    return make_user(session, roles=[Role.administrator], name="Ines")


def page_of(http, user):
    sign_in(http, user)
    return BeautifulSoup(http.get(PAGE).text, "html.parser")


def test_it_is_off_until_it_is_turned_on(session, http, clara):
    assert not is_on(session)
    page = page_of(http, clara)
    assert "Nothing has been counted yet." in page.get_text()
    assert not page.select("textarea")


def test_the_lead_proposes_an_administrator_agrees_and_either_turns_it_off(
    session, http, clara, ines
):
    make_report(session)
    sign_in(http, clara)
    assert http.post(f"{PAGE}/proposal", data={"reason": WHY}).status_code == 303
    look_again(session)
    assert not is_on(session)
    assert WHY in page_of(http, ines).get_text()
    http.post(f"{PAGE}/agreement")
    look_again(session)
    assert is_on(session)
    sign_in(http, clara)
    assert http.post(f"{PAGE}/end", data={"reason": "Enough."}).status_code == 303
    look_again(session)
    assert not is_on(session)
    acts = sa.select(AuditEntry.action).where(AuditEntry.action.startswith("track_record."))
    assert list(session.scalars(acts.order_by(AuditEntry.id))) == [
        "track_record.proposed",
        "track_record.turned_on",
        "track_record.turned_off",
    ]


def test_nobody_is_both_people(session, clara):
    clara.role_rows.append(UserRole(role=Role.administrator, granted_at=NOW))
    make_report(session)
    operations.propose(session, WHY, clara, NOW)
    with pytest.raises(SamePerson):
        operations.agree(session, clara, NOW)
    assert not is_on(session)


def test_an_administrator_and_the_lead_they_made_lately_are_one_hand(session, ines):
    lead = make_user(session, roles=[], name="Lena")
    lead.role_rows.append(UserRole(role=Role.clinical_lead, granted_at=NOW, granted_by_id=ines.id))
    make_report(session)
    operations.propose(session, WHY, lead, NOW)
    with pytest.raises(OneHand):
        operations.agree(session, ines, NOW)


def test_an_administrator_cannot_propose_and_the_lead_cannot_agree(session, http, clara, ines):
    make_report(session)
    sign_in(http, ines)
    assert http.post(f"{PAGE}/proposal", data={"reason": WHY}).status_code == 404
    operations.propose(session, WHY, clara, NOW)
    sign_in(http, clara)
    assert http.post(f"{PAGE}/agreement").status_code == 404
    look_again(session)
    assert not is_on(session)


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"cases": 299}, "299 cases"),
        ({"cases": 1}, "is one case"),
        ({"therapists": 9}, "9 therapists"),
        ({"verdict": "boasting", "ratio": 1.32}, "more than came: 1.32 times"),
        ({"verdict": "modest", "ratio": 0.71}, "less than came: 0.71 times"),
        ({"verdict": "unclear", "low": 0.4, "high": None}, "between 0.40 and no limit"),
        ({"at": NOW - timedelta(days=4)}, "older than three days"),
    ],
)
def test_a_count_that_is_not_good_enough_turns_nothing_on_and_says_why(
    session, http, clara, figures, said
):
    make_report(session, **figures)
    with pytest.raises(NotGoodEnough):
        operations.propose(session, WHY, clara, NOW)
    page = page_of(http, clara)
    assert said in page.get_text()
    assert not page.select("textarea")


DAMAGED = {
    "it is no report": [1, 2],
    "nothing is in it": {},
    "a figure is words": {"ratio": "1.02"},
    "a bound is none that can be": {"low": [0.8]},
    "the verdict is unknown": {"verdict": "splendid"},
    "the therapists are no number": {"therapists": None},
    "the bonus is too large": {"bonus": 10_000},
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_count_turns_nothing_on_counts_for_nobody_and_says_so(
    session, http, clara, how, caplog
):
    turn_on(session)
    rosa = make_therapist(session)
    report, damage = newest_report(session), DAMAGED[how]
    report.figures = report.figures | damage if damage and isinstance(damage, dict) else damage
    session.commit()
    caplog.set_level("INFO", "attune")
    page = page_of(http, clara).get_text()
    assert "on, but the last count cannot be read" in page
    assert "the last one is older" not in page
    assert any("report_damaged" in each for each in caplog.messages)
    wanted = sa.select(Therapist.id).where(Therapist.id == rosa.id)
    assert records_among(wanted, NOW) == OFF
    operations.turn_off(session, "Enough.", clara, NOW)
    session.commit()
    with pytest.raises(NotGoodEnough):
        operations.propose(session, WHY, clara, NOW)
    assert "The last count cannot be read." in page_of(http, clara).get_text()


def test_a_count_that_became_worse_since_the_proposal_stops_the_yes(session, clara, ines):
    make_report(session)
    operations.propose(session, WHY, clara, NOW)
    make_report(session, verdict="boasting", ratio=1.4)
    with pytest.raises(NotGoodEnough):
        operations.agree(session, ines, NOW)
    assert not is_on(session)


def test_a_proposal_lapses_after_a_week(session, clara, ines):
    make_report(session)
    operations.propose(session, WHY, clara, NOW)
    make_report(session, at=NOW + timedelta(days=7))
    with pytest.raises(WrongState):
        operations.agree(session, ines, NOW + timedelta(days=7))
    operations.propose(session, WHY, clara, NOW + timedelta(days=7))


def test_a_proposal_can_be_refused_and_is_then_over(session, clara, ines):
    make_report(session)
    operations.propose(session, WHY, clara, NOW)
    operations.refuse(session, ines, NOW)
    with pytest.raises(WrongState):
        operations.agree(session, ines, NOW)
    assert not is_on(session)


def test_a_count_that_is_not_good_enough_turns_it_off_by_itself(session, http, clara):
    turn_on(session, clara)
    session.commit()
    counting.count(NOW)
    look_again(session)
    assert not is_on(session)
    newest = session.scalars(
        sa.select(TrackRecordDecision).order_by(TrackRecordDecision.id.desc()).limit(1)
    ).one()
    assert newest.decided_by is None
    assert "0 cases" in newest.reason
    assert "by the daily count itself" in page_of(http, clara).get_text()


def test_nobody_turns_it_on_by_the_count_before_while_a_worse_one_is_kept(
    session, app, http, clara, ines, monkeypatch
):
    make_report(session)
    operations.propose(session, WHY, clara, NOW)
    tab, real, answers = app.test_client(), counting.is_on, []
    sign_in(tab, ines)
    session.commit()
    with ThreadPoolExecutor(1) as threads:

        def overtaken(counting_session):
            found = real(counting_session)
            answers.append(threads.submit(tab.post, f"{PAGE}/agreement"))
            wait(answers, timeout=1)
            return found

        monkeypatch.setattr(counting, "is_on", overtaken)
        counting.count(NOW)
        assert answers[0].result().status_code == 303
    look_again(session)
    assert not is_on(session)


def test_a_reason_is_asked_for_and_what_was_typed_is_kept(session, http, clara):
    make_report(session)
    sign_in(http, clara)
    answer = http.post(f"{PAGE}/proposal", data={"reason": "x" * 1001})
    assert answer.status_code == 422
    assert "x" * 1001 in answer.text
    assert http.post(f"{PAGE}/proposal", data={"reason": " "}).status_code == 422


def test_therapists_and_clients_do_not_find_the_page(session, http):
    sign_in(http, make_therapist(session).user)
    assert http.get(PAGE).status_code == 404


def test_before_anybody_decides_the_page_says_when_it_changes_nothing_and_what_newcomers_get(
    session, http, clara
):
    told = " ".join(page_of(http, clara).get_text(" ").split())
    assert "Where nobody has fifteen cases under that heading, it changes nothing" in told
    assert "newcomers got 83 % of an even share without it and 121 % with it" in told
    measured = Path(__file__).parents[3].joinpath("docs/reference/learning.md").read_text("utf-8")
    assert "without and with the bonus | 0.83 · 1.21 |" in measured


def test_the_page_names_no_therapist(session, http, clara):
    turn_on(session, clara)
    make_therapist(session, "Rosa Almeida")
    assert "Rosa" not in page_of(http, clara).get_text()


def test_every_figure_that_is_good_enough_stands_in_nobodys_way(session):
    assert obstacles(make_report(session), NOW) == []


def test_a_count_that_is_too_old_rests_the_switch_and_both_pages_say_so(session, http, clara):
    """No decision is made: with a new count that keeps the promise it goes on by itself."""
    turn_on(session, clara, at=NOW - timedelta(days=3))
    rosa = make_therapist(session, "Rosa Almeida")
    make_agreement(session, rosa)
    words = page_of(http, clara).get_text()
    assert "on, but the last count is too old" in words
    assert "It counts for nobody just now" in words
    sign_in(http, rosa.user)
    assert "It counts in nothing until there is a new count." in http.get(OWN_PAGE).text
    make_report(session)
    session.commit()
    assert "It counts in matches." in http.get(OWN_PAGE).text
    assert "It counts for nobody just now" not in page_of(http, clara).get_text()
    assert is_on(session)


def test_the_lead_asks_for_a_count_once_a_day_and_reads_when_again(
    app, session, http, clara, clock
):
    turn_on(session, clara)
    sign_in(http, clara)
    http.post(f"{PAGE}/count")
    assert "A count is running" in http.get(PAGE).text
    drain(app, NOW)
    page = BeautifulSoup(http.get(PAGE).text, "html.parser")
    assert "You can ask again Wednesday 2 December at" in page.get_text()
    assert not page.select(f"form[action='{PAGE}/count']")
    assert (
        "asked for this a short while ago" in http.post(f"{PAGE}/count", follow_redirects=True).text
    )
    clock.move(timedelta(days=1))
    assert page_of(http, clara).select(f"form[action='{PAGE}/count']")


def test_an_administrator_reads_of_the_count_and_cannot_ask_for_one(session, http, ines):
    make_report(session)
    page = page_of(http, ines)
    assert "when somebody asks" not in page.get_text()
    assert http.post(f"{PAGE}/count").status_code == 404
