"""How a therapist is found: what is counted, that nobody shows in it, and only their own page."""

import re
from collections import Counter
from datetime import datetime, timedelta
from math import exp

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import current_app

from core.audit import AuditEntry
from core.outbox import OutboxMessage, drain
from practice.accounts.models import Role
from practice.consent.models import Purpose
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from practice.intake.models import IntakeAnswer
from practice.matches import operations
from practice.matches.models import Proposal, RequestState
from practice.matches.reach import counting as reach_counting
from practice.matches.reach import figures as reach
from practice.matches.reach.counting import (
    CONCERNS_OF_ONE,
    PERIOD,
    SCALE,
    Period,
    Teller,
    counted,
    in_tens,
)
from practice.matches.reach.figures import ReachReport
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.intake import make_intake
from tests.builders.matches import make_request, make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PAGE = "/profile/found"
LAST = Period.at(NOW)
LATELY = LAST.until - timedelta(days=5)
NEXT = LAST.until + PERIOD
PAGES = {"birth-year": 1990, "languages": ["en"], "format": ["online"]}
A_WOMAN = {"gender": {"want": ["woman"], "strength": "must_have"}}


@pytest.fixture
def exactly(monkeypatch):
    """Without noise, and told from ten people on: for what is counted, not for how."""
    monkeypatch.setattr(reach_counting, "keyed_noise", lambda *_: 0)
    monkeypatch.setattr(reach_counting, "FEWEST", 10)
    monkeypatch.setattr(reach_counting, "FEWEST_NAMED", 10)


@pytest.fixture
def to_the_one(exactly, monkeypatch):
    """And each person shows."""
    for step in ("STEP", "FEWEST", "FEWEST_NAMED"):
        monkeypatch.setattr(reach_counting, step, 1)


@pytest.fixture
def therapist(session):
    return make_therapist(session)


def seekers(session, count=12, *, at=LATELY, **answers):
    """With few pages of answers each, so that a dozen are made quickly."""
    made = [make_client(session, at=at) for _ in range(count)]
    for client in made:
        make_intake(session, client, answers=PAGES, at=at, **answers)
    return made


def show(session, client, *therapists, at=LATELY):
    session.add(
        Proposal(
            client=client,
            made_at=at,
            digest=f"{len(client.public_id.hex)}{at.timestamp()}",
            weights_version=1,
            engine_version="1",
            client_inputs={},
            shown=[{"id": str(one.public_id)} for one in therapists],
        )
    )


def figures_of(session, therapist):
    session.commit()
    # In a session of its own, as the worker does: what it has read it lets go.
    with current_app.app_context():
        return counted(NOW).therapists.get(therapist.id)


def page_of(session, http, therapist):
    session.commit()
    with current_app.app_context():
        reach.count(NOW)
    sign_in(http, therapist.user)
    answer = http.get(PAGE)
    assert answer.status_code == 200
    return BeautifulSoup(answer.data, "html.parser").main


def text(element):
    return re.sub(r"\s+", " ", element.get_text(" "))


@pytest.mark.parametrize(
    ("columns", "answers", "rule"),
    [
        ({"open_places": 0}, {}, "capacity"),
        ({"hours": ()}, {"hours": {"zone": "UTC", "windows": ["sun 03:00-05:00"]}}, "hours"),
        ({"fee": 25000}, {"payment": {"kind": "self-pay", "budget": 9000}}, "payment"),
        ({"formats": ["in-person"]}, {}, "format"),
        ({"languages": ["es"]}, {}, "language"),
        ({"services": ["couple"]}, {"service": "individual"}, "service"),
        (
            {"approaches": ["act"]},
            {"wishes": {"approach": {"want": ["cbt"], "strength": "must_have"}}},
            "must.approach",
        ),
    ],
)
def test_what_stands_in_the_way_alone_is_counted_in_tens(session, exactly, columns, answers, rule):
    one = make_therapist(session, **columns)
    seekers(session, 13, **answers)
    found = figures_of(session, one)
    assert found["alone"] == {rule: 10}
    assert (found["searches"], found["found"]) == (10, 0)


def test_of_fewer_people_than_can_be_told_no_figure_is_kept(session, exactly):
    one = make_therapist(session, open_places=0)
    for client in seekers(session, 9):
        show(session, client, one)
    found = figures_of(session, one)
    totals, named = ("searches", "found", "shown", "first"), ("alone", "places", "lacking")
    assert [found[each] for each in totals] == [0] * 4
    assert [found[each] for each in named] == [{}] * 3
    seekers(session, 1)
    assert figures_of(session, one)["alone"] == {"capacity": 10}


def test_with_noise_too_nothing_is_told_below_twenty_nor_named_below_seventy(session, monkeypatch):
    told = Counter()
    for noise in range(-50, 51):
        monkeypatch.setattr(reach_counting, "keyed_noise", lambda *_, noise=noise: noise)
        told[Teller(LAST).total("found", 30)] += 1
        told.update(Teller(LAST).named("alone", ["hours"], {"hours": 30}).values())
    assert min(told - Counter({0: told[0]})) == 20
    monkeypatch.setattr(reach_counting, "keyed_noise", lambda *_: 39)
    assert Teller(LAST).named("alone", ["hours"], {"hours": 30}) == {}
    monkeypatch.setattr(reach_counting, "keyed_noise", lambda *_: 40)
    assert Teller(LAST).named("alone", ["hours"], {"hours": 30}) == {"hours": 70}


def test_figures_are_in_tens():
    assert [in_tens(count) for count in (0, 4, 16, 20, 24, 121)] == [0, 0, 20, 20, 20, 120]


def test_a_licence_elsewhere_is_told_by_place(session, exactly, therapist):
    for client in seekers(session, 10):
        client.place = "US-OR"
    assert figures_of(session, therapist)["places"] == {"US-OR": 10}


def test_of_ones_own_places_and_concerns_chance_names_none(session, therapist, monkeypatch):
    monkeypatch.setattr(reach_counting, "keyed_noise", lambda *_: 100)
    found = figures_of(session, therapist)
    assert "US-OR" in found["places"]
    assert "US-WA" not in found["places"]
    assert "grief" in found["lacking"]
    assert not found["lacking"].keys() & therapist.skills.keys()


def test_concerns_that_people_brought_and_one_does_not_list(session, exactly, therapist):
    seekers(session, 10, concerns=["grief", "panic"], concern_weights={"grief": 2, "panic": 1})
    found = figures_of(session, therapist)
    assert found["lacking"] == {"grief": 10}
    assert found["found"] == 10


def test_lists_are_counted_by_person_and_within_the_four_weeks(session, exactly, therapist):
    others = [make_therapist(session, f"Person {number}") for number in range(3)]
    people = seekers(session, 20)
    for number, client in enumerate(people):
        at = LATELY if number < 10 else LAST.since - timedelta(seconds=1)
        show(session, client, *others, therapist, at=at)
        show(session, client, *others[:2], therapist, at=at - timedelta(minutes=1))
        show(session, client, *others, therapist, at=LAST.until)
    found, last = figures_of(session, therapist), figures_of(session, others[2])
    assert (found["shown"], found["first"]) == (10, 10)
    assert (last["shown"], last["first"]) == (10, 10)


def test_the_fourth_in_a_list_is_not_among_the_first_three(session, exactly, therapist):
    others = [make_therapist(session, f"Person {number}") for number in range(3)]
    for client in seekers(session, 10):
        show(session, client, *others, therapist)
    found = figures_of(session, therapist)
    assert (found["shown"], found["first"]) == (10, 0)


def test_hours_that_are_not_confirmed_are_said_first_and_alone(session, http, exactly):
    for confirmed in (NOW - timedelta(days=15), None):
        one = make_therapist(session, hours_confirmed_at=confirmed)
        if confirmed:
            seekers(session, 10)
        assert figures_of(session, one)["found"] == 10
        page = text(page_of(session, http, one))
        assert "With them confirmed you could be offered to about 10 people" in page
        assert "What stands in the way most" not in page


def test_hours_confirmed_since_the_count_need_no_new_one(session, http, exactly):
    one = make_therapist(session, hours_confirmed_at=None, languages=["es"])
    seekers(session, 10)
    page_of(session, http, one)
    one.hours_confirmed_at = NOW
    session.commit()
    assert "Your languages" in http.get(PAGE).text


def test_whoever_took_back_the_privacy_notice_is_not_counted(session, exactly, therapist):
    people = seekers(session, 10)
    for client in people:
        show(session, client, therapist)
    assert figures_of(session, therapist)["shown"] == 10
    for signature in session.scalars(signatures_of(people[0])).all():
        if signature.document.purpose is Purpose.privacy_notice:
            revoke(session, signature, people[0].user, NOW)
    found = figures_of(session, therapist)
    assert (found["searches"], found["found"], found["shown"]) == (0, 0, 0)


def test_of_several_searches_of_one_person_the_last_counts(session, exactly, therapist):
    for client in seekers(session, 10, at=LATELY - timedelta(days=15), birth_year=2005):
        make_intake(session, client, answers={"languages": ["es"]}, at=LATELY)
    found = figures_of(session, therapist)
    assert (found["searches"], found["alone"]) == (10, {"language": 10})


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (LAST.since - timedelta(seconds=1), 0),
        (LAST.since, 10),
        (LAST.until - timedelta(seconds=1), 10),
        (LAST.until, 0),
    ],
)
def test_a_search_counts_in_the_four_weeks_it_was_sent_in(session, exactly, therapist, at, counts):
    seekers(session, 10, at=at)
    assert figures_of(session, therapist)["searches"] == counts


def test_every_instant_lies_in_one_period_of_four_weeks_from_a_monday(session):
    for days in range(60):
        at = NOW + timedelta(days=days, microseconds=days)
        period = Period.at(at)
        assert period.until <= at < period.until + PERIOD
        assert (period.since.weekday(), period.until - period.since) == (0, PERIOD)
        assert Period.at(period.until - timedelta(microseconds=1)).until == period.since


PRIVATE = {
    "a wish about the person": ({}, {"wishes": A_WOMAN}),
    "how unwell somebody is": ({}, {f"phq_9_{item}": 3 for item in range(1, 9)}),
    "what somebody wrote": ({"story": "one"}, {"story": "another"}),
}


@pytest.mark.parametrize("fact", PRIVATE)
def test_what_nobody_is_to_learn_changes_no_figure_of_anybody(session, exactly, therapist, fact):
    """Not even where a hundred people say it: a therapist could else try out who asks for whom."""
    first, second = PRIVATE[fact]
    people = seekers(session, 10, **first)
    before = figures_of(session, therapist)
    for client in people:
        make_intake(session, client, answers=PAGES, at=LATELY + timedelta(days=1), **second)
    assert figures_of(session, therapist) == before


def test_only_the_pages_that_are_asked_about_are_opened(session, therapist, monkeypatch):
    seekers(session, 2, story="In my own words", phq_9_9=0)
    session.commit()
    opened, plainly = [], IntakeAnswer.value.__get__

    def remembering(_descriptor, answer, kind=None):
        if answer is not None:
            opened.append(answer.page)
        return plainly(answer, kind)

    monkeypatch.setattr(type(IntakeAnswer.__dict__["value"]), "__get__", remembering)
    counted(NOW)
    assert set(opened) == {"birth-year", "languages", "format"}


def chances(tell, count):
    """{what is told: how likely}, over every noise that may come of the promised law."""
    told, ratio = Counter(), exp(-1 / SCALE)
    for noise in range(-400, 401):
        likely = (1 - ratio) / (1 + ratio) * ratio ** abs(noise)
        told[tell(count, noise)] += likely
    return told


def total(count, noise):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reach_counting, "keyed_noise", lambda *_: noise)
        return Teller(LAST).total("found", count)


def named(count, noise):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reach_counting, "keyed_noise", lambda *_: noise)
        return Teller(LAST).named("alone", ["hours"], {"hours": count}).get("hours", 0)


@pytest.mark.parametrize("tell", [total, named])
@pytest.mark.parametrize(("more", "right"), [(1, 0.53), (9, 0.69)])
def test_from_a_figure_nobody_can_tell_whether_one_person_or_nine_more_are_in_it(tell, more, right):
    """Whatever is read, its chances differ by exp(people / scale) at most, at every edge.

    So the best guess whether they are there is right in little more than every second case.
    """
    for count in (0, 9, 10, 11, 19, 20, 25, 50, 60, 69, 70, 75, 100):
        without, with_them = chances(tell, count), chances(tell, count + more)
        for told in without.keys() | with_them.keys():
            assert with_them[told] <= without[told] * exp(more / SCALE) + 1e-12
            assert without[told] <= with_them[told] * exp(more / SCALE) + 1e-12
        best = sum(max(without[each], with_them[each]) for each in without | with_them) / 2
        assert best < right


def test_looking_again_brings_nothing_new_of_a_search(app, session, http, therapist):
    """Every day for twelve weeks: three counts, and the search is in one of them."""
    show(session, seekers(session, 1)[0], therapist)
    session.commit()
    counts, pages = [], set()
    plainly = Teller._told
    with pytest.MonkeyPatch.context() as patched:

        def remembering(teller, count, fewest, *figure):
            counts.append((figure, teller.period.since, count))
            return plainly(teller, count, fewest, *figure)

        patched.setattr(Teller, "_told", remembering)
        for days in range(84):
            at = LAST.until + timedelta(days=days, hours=1)
            app.extensions["clock"].move_to(at)
            reach.COUNT.post_when_due(at)
            drain(app, at)
            session.rollback()
            pages.add((Period.at(at), tuple(figures_kept(session))))
    assert [begun for (*_, figure), begun, count in counts if figure == "shown" and count] == [
        LAST.since
    ]
    assert len(pages) == len({period for period, _ in pages}) == 3


def test_counted_again_the_same_people_bring_the_same_noise(session, therapist):
    """Asking once more, after a crash or a restored backup, averages nothing out."""
    for client in seekers(session, 12):
        show(session, client, therapist)
    assert figures_of(session, therapist) == figures_of(session, therapist)


def test_each_therapist_period_and_figure_has_a_noise_of_its_own(session, monkeypatch):
    asked = []
    monkeypatch.setattr(reach_counting, "keyed_noise", lambda *named: asked.append(named) or 0)
    for period in (LAST, Period.at(NEXT)):
        for whom in ("", "one", "another"):
            Teller(period, whom).total("found", 30)
            Teller(period, whom).total("shown", 30)
            Teller(period, whom).named("alone", ["hours", "format"], {"hours": 30})
    assert len(set(asked)) == len(asked) == 24


def test_how_many_looked_has_one_noise_for_all_so_that_pages_laid_together_tell_no_more(session):
    therapists = [make_therapist(session, f"Person {number}") for number in range(5)]
    seekers(session, 20)
    session.commit()
    with current_app.app_context():
        found = counted(NOW).therapists
    assert len({found[each.id]["searches"] for each in therapists}) == 1


def test_one_person_is_in_no_more_figures_of_a_therapist_than_is_promised(
    session, to_the_one, therapist
):
    """The promise adds up one tenth for each: searches, found or not, shown, first, concerns."""
    concerns = ["loneliness", "anger", "burnout", "stress", "trauma"]
    other = make_therapist(session, "Ben Birch", languages=["es"])
    before = [figures_of(session, each) for each in (therapist, other)]
    weights = dict.fromkeys(concerns, 2)
    [client] = seekers(session, 1, concerns=concerns, concern_weights=weights)
    show(session, client, therapist, other)
    show(session, client, other, therapist, at=LATELY - timedelta(days=1))
    after = [figures_of(session, each) for each in (therapist, other)]
    changes = [flat(now) - flat(then) for now, then in zip(after, before, strict=True)]
    assert [set(each.values()) for each in changes] == [{1}, {1}]
    assert [each.total() for each in changes] == [4 + CONCERNS_OF_ONE, 4]


def flat(figures):
    """{(figure, name): count}"""
    return Counter(
        {
            (figure, name): count
            for figure, counts in figures.items()
            for name, count in (counts if isinstance(counts, dict) else {"": counts}).items()
        }
    )


def figures_kept(session):
    reports = sa.select(ReachReport).order_by(ReachReport.therapist_id)
    return [str(report.figures) for report in session.scalars(reports)]


def test_that_somebody_was_shown_at_all_is_not_told_by_there_being_figures(session, therapist):
    hidden = make_therapist(session, "Ben Birch")
    hidden.licences[0].state = "suspended"
    assert figures_of(session, hidden).keys() == {"searches", "shown", "first"}


def test_the_page_says_what_costs_most_first_and_where_to_mend_it(session, http, exactly):
    one = make_therapist(session, languages=["es"])
    seekers(session, 10)
    seekers(session, 20, languages=["es"], format=["telephone"])
    page = page_of(session, http, one)
    costs = [text(each) for each in page.select("ul a[href^='/profile/']")]
    lines = [text(each) for each in page.select("li") if each.select("a[href^='/profile/']")]
    assert lines[0].startswith("Ways of meeting : about 20 more.")
    assert lines[1].startswith("Your languages : about 10 more.")
    assert costs == ["Change how people meet you", "Change your languages"]
    assert len(page.select("svg.bars rect")) == 2


def test_each_reads_only_their_own(session, http, exactly):
    full, other = make_therapist(session, open_places=0), make_therapist(session, "Ben Birch")
    seekers(session, 10)
    assert "No open place" in text(page_of(session, http, full))
    assert "No open place" not in text(page_of(session, http, other))
    assert "No single thing of yours keeps so many" in text(page_of(session, http, other))


def test_requests_are_told_exactly_and_only_ones_own(session, http, therapist):
    other = make_therapist(session, "Ben Birch")
    for days, whom in ((9, therapist), (50, therapist), (100, therapist), (9, other)):
        make_request(session, make_seeker(session), whom, at=NOW - timedelta(days=days))
    said_no, accepted = make_seeker(session), make_seeker(session)
    declined = make_request(session, said_no, therapist, at=NOW - timedelta(hours=2))
    declined.move_to(RequestState.declined, NOW)
    request = make_request(session, accepted, therapist, at=NOW - timedelta(hours=2))
    operations.accept(session, request, therapist.user, NOW)
    page = page_of(session, http, therapist)
    rows = {text(row.th): [text(cell) for cell in row.select("td")] for row in page.select("tr")}
    assert rows["Requests to you"] == ["3", "4"]
    assert rows["Of these you said yes to"] == ["1", "1"]
    assert rows["You said no to"] == ["1", "1"]
    assert rows["Not answered in time"] == ["1", "2"]


def test_before_the_first_count_and_for_old_ones_there_is_a_kind_word(session, http, therapist):
    session.commit()
    sign_in(http, therapist.user)
    assert "Not counted yet" in http.get(PAGE).text
    page_of(session, http, therapist)
    assert "Not counted yet" not in http.get(PAGE).text
    report = session.scalars(sa.select(ReachReport)).one()
    report.made_at = NOW - PERIOD - timedelta(days=8)
    session.commit()
    assert "Not counted yet" in http.get(PAGE).text
    assert "the next time is 21 December 2026 at the latest" in http.get(PAGE).text


def test_whoever_is_not_on_the_list_any_more_is_told_so(session, http, exactly, therapist):
    for client in seekers(session, 10):
        show(session, client, therapist)
    therapist.licences[0].state = "suspended"
    page = text(page_of(session, http, therapist))
    assert "You are not on the list" in page
    assert "People who had you in their list about 10" in page


def test_without_a_profile_the_application_comes_first(session, http):
    sign_in(http, make_user(session, roles=[Role.therapist], name="Noa"))
    session.commit()
    assert http.get(PAGE).headers["Location"] == "/apply"


def test_the_page_says_that_figures_are_approximate_and_why(session, http, exactly, therapist):
    page = text(page_of(session, http, therapist))
    assert "From 26 October 2026 to 22 November 2026" in page
    assert "approximate: chance has been added to each, so that no single person" in page
    assert "The next count is on 21 December 2026" in page


def test_nine_in_ten_figures_are_within_thirty_people_as_the_page_says():
    errors = Counter()
    for told, likely in chances(lambda count, noise: in_tens(count + noise), 105).items():
        errors[abs(told - 105) <= 30] += likely
    assert errors[True] > 0.9


def test_more_found_than_looked_is_noise_and_is_not_shown(session, http, therapist, monkeypatch):
    monkeypatch.setattr(
        reach_counting, "keyed_noise", lambda *named: 60 if "found" in named else 30
    )
    page = text(page_of(session, http, therapist))
    assert "Of these you could be offered to about 30" in page


def test_it_is_counted_every_four_weeks_by_the_worker_and_told_in_the_log(
    app, session, exactly, therapist, clock
):
    def posted_at(at: datetime) -> int:
        reach.COUNT.post_when_due(at)
        kind = OutboxMessage.kind == reach.COUNT.kind
        return session.scalar(sa.select(sa.func.count(OutboxMessage.id)).where(kind))

    seekers(session, 13)
    session.commit()
    assert [posted_at(NOW), posted_at(NOW)] == [1, 1]
    drain(app, NOW)
    session.rollback()
    report = session.scalars(sa.select(ReachReport)).one()
    assert (report.therapist_id, report.figures["found"]) == (therapist.id, 10)
    act = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == reach.COUNTED)).one()
    assert act.details == {"people": 10, "number": 1}
    assert posted_at(NEXT - timedelta(seconds=1)) == 1
    assert posted_at(NEXT) == 2


def test_a_new_count_takes_the_place_of_the_one_before(session, therapist):
    session.commit()
    for at in (NOW, NEXT):
        reach.count(at)
    session.rollback()
    assert session.scalars(sa.select(ReachReport)).one().made_at == NEXT


def test_nobody_can_ask_for_a_count(session, therapist):
    reach.COUNT.ask(session, NOW, therapist.user.public_id, "therapist")
    assert session.scalars(sa.select(OutboxMessage)).all() == []


def test_where_nobody_can_be_found_nothing_is_counted(app, session):
    reach.COUNT.post_when_due(NOW)
    assert session.scalars(sa.select(OutboxMessage)).all() == []
    assert reach_counting.counted(NOW).therapists == {}
