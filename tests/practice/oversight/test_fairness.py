"""The audit of fairness: who is counted, what is kept, who reads it, and what the page says."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

import matching
from core.audit import AuditEntry
from core.outbox import MOST_ATTEMPTS, OutboxMessage, drain
from matching.auditing import NOBODY, Comparison, Placements, Verdict, audit
from practice.accounts.models import Role
from practice.consent.models import Purpose
from practice.intake.queries import answers_of, latest_submitted
from practice.matches import operations
from practice.matches.market.index import client_values, market_at
from practice.matches.reviews.cases import COMPARED
from practice.matches.sharing import shareable
from practice.oversight.fairness import reports as fairness
from practice.oversight.fairness.people import (
    RULES,
    Period,
    age_band,
    language_group,
    placements,
)
from practice.oversight.fairness.words import told
from practice.oversight.models import FairnessReport
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.consent import make_revocation, sign_before_intake
from tests.builders.intake import make_intake
from tests.builders.matches import make_request, make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PAGE = "/oversight/fairness"
SENT = NOW - timedelta(days=60)


@pytest.fixture
def lead(session, http):
    lead = make_user(session, roles=[Role.clinical_lead], name="Lena")
    sign_in(http, lead)
    return lead


def counted(session):
    session.commit()
    return placements(Period.at(NOW), NOW)


def accepted(session, client, therapist, days):
    """A yes so many days after the answers were sent, asked a day before."""
    request = make_request(session, client, therapist, at=SENT + timedelta(days=days - 1))
    operations.accept(session, request, therapist.user, SENT + timedelta(days=days))
    return request


def test_counted_is_the_year_before_the_last_four_weeks(session):
    for days in (27, 29, 60, 28 + 364, 28 + 366):
        make_seeker(session, at=NOW - timedelta(days=days))
    make_intake(session, make_client(session), submitted=False, at=SENT)
    assert len(counted(session)) == 3


def test_of_several_times_the_last_one_counts(session):
    client = make_client(session, at=SENT)
    make_intake(session, client, languages=["en"], at=SENT)
    make_intake(session, client, languages=["es"], at=SENT + timedelta(days=9))
    assert counted(session).groups["language"] == ["Spanish"]


def test_whoever_took_back_the_privacy_notice_is_not_counted(session):
    make_seeker(session, at=SENT)
    client = make_client(session, consents=False, at=SENT)
    notice = next(
        each
        for each in sign_before_intake(session, client, at=SENT)
        if each.document.purpose is Purpose.privacy_notice
    )
    make_intake(session, client, at=SENT)
    make_revocation(session, notice)
    assert len(counted(session)) == 1


def test_placed_is_a_yes_within_four_weeks_that_stands(session):
    therapist = make_therapist(session, at=SENT, open_places=9)
    early, late, undone, _ = (make_seeker(session, at=SENT) for _ in range(4))
    accepted(session, early, therapist, 3)
    accepted(session, late, make_therapist(session, at=SENT + timedelta(days=20)), 29)
    request = accepted(session, undone, therapist, 2)
    operations.withdraw(session, request, undone.user, SENT + timedelta(days=4))
    found = counted(session)
    assert found.placed.tolist() == [True, False, False, False]
    assert found.therapist.tolist() == [0, NOBODY, NOBODY, NOBODY]
    assert found.wait[0] == pytest.approx(3)
    assert np.isnan(found.wait[1:]).all()


def test_the_points_are_those_that_stood_beside_the_therapist(session):
    therapist = make_therapist(session, at=SENT, open_places=9)
    client, without = (make_seeker(session, at=SENT) for _ in range(2))
    session.commit()
    values = client_values(client, answers_of(latest_submitted(client)), SENT)
    with market_at(SENT, "US-WA").held() as index:
        shown = index.therapist(str(therapist.public_id))
        points = index.explain(values, shown.id).total
    operations.keep_proposal(session, client, values, [shown], matching.DEFAULT_WEIGHTS, SENT)
    accepted(session, client, therapist, 2)
    accepted(session, without, therapist, 2)
    # What is changed afterwards does not change what stood there.
    therapist.hours = []
    found = counted(session)
    assert found.score[0] == points > 0
    assert np.isnan(found.score[1])


def test_each_rule_counts_whom_it_takes_away_today(session):
    make_therapist(session)
    make_therapist(session, "Other Place", places=("US-OR",))
    make_therapist(session, "Full", open_places=0)
    make_seeker(session, at=SENT)
    nowhere = make_seeker(session, at=SENT)
    nowhere.place = ""
    found = counted(session)
    assert found.considered.tolist() == [3, 0]
    assert found.excluded["licence"].tolist() == [1, 0]
    assert found.excluded["capacity"].tolist() == [1, 0]
    assert set(found.excluded) == set(RULES)


def test_groups_are_what_people_said_and_none_where_they_did_not(session):
    make_intake(
        session,
        make_client(session, at=SENT),
        birth_year=1990,
        languages=["en", "es"],
        payment={"kind": "insurance", "insurer": None},
        at=SENT,
    )
    make_intake(session, make_client(session, place="", at=SENT), answers={}, at=SENT)
    groups = counted(session).groups
    assert groups["age"] == ["35 to 44", None]
    assert groups["language"] == ["Spanish", None]
    assert groups["state"] == ["Washington", None]
    assert groups["payment"][0]
    assert groups["payment"][1] is None


def test_what_people_chose_to_state_is_a_group_and_what_they_left_out_is_none(session):
    stated = {"gender": ["man"], "faith": ["jewish", "spiritual"]}
    make_intake(session, make_client(session, at=SENT), about_you=stated, at=SENT)
    make_intake(session, make_client(session, at=SENT), about_you=None, at=SENT)
    groups = counted(session).groups
    assert groups["gender"] == ["Man", None]
    assert groups["faith"] == ["Several of these", None]
    assert groups["ethnicity"] == groups["disability"] == [None, None]
    assert {"orientation", "trans"} < set(groups)


def test_what_people_state_about_themselves_is_no_part_of_the_match(session):
    client = make_seeker(session, at=SENT)
    session.commit()
    answers = answers_of(latest_submitted(client))
    assert answers["about-you"]
    without = {page: value for page, value in answers.items() if page != "about-you"}
    assert client_values(client, answers, NOW) == client_values(client, without, NOW)
    assert "about-you" not in COMPARED
    assert shareable(answers) == shareable(without)


def test_a_group_of_what_was_stated_stands_on_the_page(http, session, lead):
    happened = biased()
    ethnicity = ["Black or African American", "White"] * (len(happened) // 2)
    keep(session, replace(happened, groups={**happened.groups, "ethnicity": ethnicity}))
    page = BeautifulSoup(http.get(PAGE).text, "html.parser")
    headings = {one.text for one in page.select("tbody th[scope=rowgroup]")}
    assert "Race and ethnicity, as stated" in headings
    assert page.find("th", string="Black or African American")


@pytest.mark.parametrize(
    ("age", "band"),
    [(17, "18 to 24"), (24, "18 to 24"), (25, "25 to 34"), (64, "55 to 64"), (65, "65 and over")],
)
def test_age_bands_meet_without_a_gap(age, band):
    assert age_band(age) == band


@pytest.mark.parametrize(
    ("codes", "group"),
    [
        ([], None),
        (["en"], "English only"),
        (["es"], "Spanish"),
        (["en", "es"], "Spanish"),
        (["en", "es", "fr"], "Several others"),
    ],
)
def test_everybody_is_in_one_group_of_languages(codes, group):
    assert language_group(codes) == group


@pytest.mark.parametrize(
    "roles", [[Role.administrator], [Role.therapist], [Role.duty_clinician], [Role.client]]
)
def test_nobody_but_the_clinical_lead_reads_it(session, http, roles):
    sign_in(http, make_user(session, roles=roles))
    assert http.get(PAGE).status_code in {403, 404}
    assert http.post(f"{PAGE}/count").status_code in {403, 404}
    assert session.scalar(sa.select(OutboxMessage.id)) is None


def test_before_the_first_count_the_page_says_what_to_do(http, lead):
    page = http.get(PAGE).text
    assert "Nothing is counted yet" in page
    assert "Count now" in page


def test_a_count_is_done_in_the_background_once_and_is_an_act(app, http, session, lead):
    make_seeker(session, at=SENT)
    session.commit()
    assert http.post(f"{PAGE}/count").status_code == 303
    assert "A count is running" in http.get(PAGE).text
    http.post(f"{PAGE}/count")
    assert drain(app, NOW) == 1
    look_again(session)
    asked, done = session.scalars(
        sa.select(AuditEntry).where(AuditEntry.action.like("fairness.%")).order_by(AuditEntry.id)
    )
    assert (asked.action, asked.actor_id) == ("fairness.count_asked", lead.public_id)
    assert (done.action, done.details) == ("fairness.counted", {"people": 1, "number": 0})
    assert done.client_id is None
    page = http.get(PAGE).text
    assert "1 person who sent their answers" in page
    assert "Too few people to compare" in page


def test_of_a_group_that_is_kept_back_nothing_is_kept(session):
    for _ in range(3):
        make_seeker(session, at=SENT)
    session.commit()
    fairness.count(NOW)
    [report] = session.scalars(sa.select(FairnessReport))
    assert report.people == 3
    assert report.figures["tested"] == 0
    for one in report.figures["comparisons"]:
        assert set(one) == {"measure", "attribute", "group", "verdict"}


def test_a_count_that_outlived_its_lease_is_not_repeated(session, clock):
    make_seeker(session, at=SENT)
    session.commit()
    for _ in range(2):
        fairness.COUNT.carry_out({"asked_at": NOW.isoformat()})
    assert session.scalar(sa.select(sa.func.count()).select_from(FairnessReport)) == 1


def test_it_is_counted_once_a_day_from_when_there_are_enough(session, monkeypatch, app):
    monkeypatch.setattr(fairness, "FEWEST_PEOPLE", 2)
    make_seeker(session, at=SENT)
    session.commit()
    assert is_posted_by_the_sweep(session, NOW) is False
    make_seeker(session, at=SENT)
    session.commit()
    assert is_posted_by_the_sweep(session, NOW) is True
    assert drain(app, NOW) == 1
    assert is_posted_by_the_sweep(session, NOW + timedelta(hours=23)) is False
    assert is_posted_by_the_sweep(session, NOW + timedelta(hours=24)) is True


def test_the_page_names_what_differs_in_words_a_picture_and_figures(http, session, lead):
    keep(session, biased())
    page = BeautifulSoup(http.get(PAGE).text, "html.parser")
    [said] = [one.text for one in page.select(".note li") if "Spanish" in one.text]
    assert said.startswith("Spanish (language for the meetings), placed within four weeks: 4")
    assert "less often than everybody else; allowing for chance, between" in said
    assert not [one.text for one in page.select(".note li") if "English" in one.text]
    chart = page.select_one("svg.intervals")
    assert len(chart.select("rect.differs")) == 2
    assert len(chart.select("circle.dot")) == 2
    row = next(row for row in page.select("table tr") if row.th and row.th.text == "Spanish")
    people, value, *_ = (cell.text for cell in row.select("td"))
    assert people == "300"
    assert value in said
    assert page.select("svg.intervals [style]") == []


def test_one_person_more_or_less_does_not_show_in_how_many_a_group_has():
    shown = {row.people for size in (116, 117, 118, 124) for row in rows_of(size)}
    assert shown == {"120"}


def rows_of(people):
    one = Comparison("placed", "age", "25 to 34", Verdict.alone, people, 0.5, 0.4, 0.6)
    return told([one]).measures[0].rows


def test_a_fair_count_is_told_without_claiming_that_all_is_well(http, session, lead):
    keep(session, biased(0.0))
    page = http.get(PAGE).text
    assert "No difference seen that chance would not explain" in page
    assert "no proof that there is none" in page


def test_what_could_not_be_compared_is_not_told_of_as_fair(http, session, lead):
    """Hardly anybody was placed, so that of closeness and waiting nothing can be seen."""
    fair = biased(0.0)
    few = np.where(np.arange(len(fair)) < 20, fair.score, np.nan)
    keep(session, replace(fair, score=few, wait=few))
    page = http.get(PAGE).text
    said = "nothing could be compared, as no group has enough people: "
    assert f"{said}how closely the therapist fits; days until a yes." in page
    keep(session, fair)
    assert said not in http.get(PAGE).text


def test_a_small_group_stands_there_without_a_figure(http, session, lead):
    keep(session, biased(small=30))
    page = BeautifulSoup(http.get(PAGE).text, "html.parser")
    for name in ("Haitian", "Tigrinya"):
        row = next(row for row in page.select("table tr") if row.th and row.th.text == name)
        *figures, verdict = (cell.text for cell in row.select("td"))
        assert figures == [""] * 5
        assert verdict == "too few people to show"
    chart = page.select_one("svg.intervals").text
    assert "2 groups have too few people to show" in chart
    assert "Haitian" not in chart


def test_what_the_words_say_of_a_difference_is_its_sign_and_size():
    words = told(audit(biased(), 1).comparisons)
    [placed] = [each for each in words.measures if each.kind.heading.startswith("Placed")]
    [spanish] = [row for row in placed.rows if row.group == "Spanish"]
    assert spanish.difference.startswith("−")
    assert spanish.difference.endswith("in\N{NO-BREAK SPACE}100")
    assert placed.reach >= abs(spanish.least or 0)
    assert [heading for heading, _ in placed.by_attribute] == [
        "Age",
        "Language for the meetings",
    ]


def is_posted_by_the_sweep(session, at: datetime) -> bool:
    before = waiting(session)
    fairness.COUNT.post_when_due(at)
    return waiting(session) > before


def waiting(session) -> int:
    look_again(session)
    return session.scalar(
        sa.select(sa.func.count(OutboxMessage.id)).where(OutboxMessage.kind == fairness.COUNT.kind)
    )


def biased(bias: float = 0.35, small: int = 0) -> Placements:
    """600 people of two languages, Spanish placed so much less often; perhaps two small groups."""
    chance = np.random.default_rng(3)
    languages = ["Spanish", "English only"] * 300 + ["Tigrinya"] * small + ["Haitian"] * small
    people = len(languages)
    spanish = np.array([each == "Spanish" for each in languages])
    placed = chance.random(people) < 0.8 - bias * spanish
    return Placements(
        groups={
            "age": ["25 to 34", "35 to 44", "35 to 44"] * (people // 3) + [None] * (people % 3),
            "language": languages,
        },
        therapist=np.where(placed, chance.integers(0, 60, people), NOBODY),
        placed=placed,
        score=np.where(placed, chance.normal(600_000, 50_000, people), np.nan),
        wait=np.where(placed, chance.random(people) * 20, np.nan),
        considered=np.full(people, 100),
        excluded={"hours": chance.integers(20, 60, people)},
    )


def keep(session, happened: Placements) -> None:
    session.add(fairness.report_of(audit(happened, 1), NOW))
    session.commit()


def test_after_a_count_the_page_says_when_the_next_can_be_asked_for(
    app, http, session, lead, clock
):
    http.post(f"{PAGE}/count")
    drain(app, NOW)
    page = http.get(PAGE).text
    assert "at most once a day when somebody asks" in page
    assert "You can ask again" in page
    assert "Count again" not in page
    clock.move(timedelta(days=1))
    sign_in(http, lead)
    assert "Count again" in http.get(PAGE).text


def test_a_count_that_failed_is_said_plainly_and_can_be_asked_for(
    app, http, session, lead, clock, monkeypatch
):
    def fails(*_):
        raise RuntimeError

    monkeypatch.setattr(fairness, "placements", fails)
    http.post(f"{PAGE}/count")
    drain(app, NOW)
    assert "The last count failed. It is tried again by itself." in http.get(PAGE).text
    for _ in range(MOST_ATTEMPTS):
        clock.move(timedelta(hours=2))
        drain(app, clock.now())
    sign_in(http, lead)
    page = http.get(PAGE).text
    assert (
        "The last count failed. It is tried again by itself a day later, or when you ask." in page
    )
    assert "Count now" in page
