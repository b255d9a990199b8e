"""The pages of matches over HTTP, as a client and a therapist without JavaScript see them."""

import re
import uuid
from datetime import time, timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

import matching
from core.audit import AuditEntry
from practice.accounts.models import Role
from practice.intake.flags import operations as flag_operations
from practice.intake.presenting import HAS_READ
from practice.intake.queries import latest_submitted, newest_flag_of
from practice.matches.models import MatchRequest, Proposal, RequestState
from practice.matches.reasons import ONE_SENTENCE
from practice.therapists.models import ApplicationState, LicenceState, Therapist, WeeklyHours
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.counting import statements_of
from tests.builders.intake import STORY, make_intake
from tests.builders.matches import make_request, make_seeker
from tests.builders.therapists import make_licence, make_therapist
from tests.conftest import NOW


def soup(response):
    assert response.status_code in {200, 409, 422}, response.status_code
    return BeautifulSoup(response.data, "html.parser")


def text(response):
    return re.sub(r"\s+", " ", soup(response).get_text(" "))


def figures(page):
    """The lines of a sum and its total, as printed."""
    found = [int(re.match(r"\d+", one.get_text())[0]) for one in page.select(".sum .num")]
    return found[:-1], found[-1]


def three(session):
    return [
        make_therapist(session, name=name, fee=fee)
        for name, fee in (("Ana Alder", 9000), ("Ben Birch", 12000), ("Cora Cedar", 24000))
    ]


@pytest.fixture
def client(session, http):
    client = make_seeker(session)
    sign_in(http, client.user)
    return client


def test_three_therapists_are_offered_with_their_reasons(session, http, client):
    for name in ("Ana Alder", "Ben Birch", "Cora Cedar", "Dan Dogwood"):
        make_therapist(session, name=name)
    session.commit()
    page = soup(http.get("/matches"))
    assert len(page.select("article")) == 3
    assert "From 4 therapists who are licensed in Washington and have room" in page.get_text()
    assert "it cannot promise how therapy will go" in page.get_text()
    for card in page.select("article"):
        assert card.select(".wishes .tag")
        assert "Washington licence" in card.get_text()
        assert "$120 a session" in card.get_text()


def test_the_lines_on_each_card_add_up_to_its_total(session, http, client):
    three(session)
    make_therapist(session, skills={"grief": 1}, style={}, fee=15100, sliding_from=7300)
    session.commit()
    cards = soup(http.get("/matches?limit=6")).select("article")
    assert len(cards) == 3
    for card in cards:
        *lines, total = [
            int(re.match(r"\d+", one.get_text())[0]) for one in card.select(".sum .num")
        ]
        assert sum(lines) == total


def test_two_who_are_too_near_to_call_are_told_as_such(session, http, client):
    make_therapist(session, name="Ana Alder")
    make_therapist(session, name="Ben Birch")
    session.commit()
    assert "About as close as" in text(http.get("/matches"))


def test_more_people_are_shown_on_request(session, http, client):
    for number in range(5):
        make_therapist(session, name=f"Person {number}")
    session.commit()
    page = soup(http.get("/matches"))
    more = page.find("a", string="Show more people")
    assert len(soup(http.get(more["href"])).select("article")) == 5


def test_what_was_shown_is_kept_once_a_day(session, http, client):
    three(session)
    session.commit()
    for _ in range(2):
        http.get("/matches")
    assert session.scalar(sa.select(sa.func.count()).select_from(Proposal)) == 1


def test_a_list_has_a_number_that_stays_its_own(session, http, client):
    three(session)
    session.commit()
    numbers = [soup(http.get("/matches")).select_one("aside .num").text for _ in range(2)]
    [kept] = session.scalars(sa.select(Proposal))
    assert numbers == [str(kept.public_id)] * 2
    make_therapist(session, name="Dora Dale", skills={"panic": 3, "grief": 3})
    session.commit()
    assert soup(http.get("/matches")).select_one("aside .num").text not in numbers


def test_the_points_that_are_kept_are_those_of_the_page(session, http, client):
    three(session)
    session.commit()
    page = soup(http.get("/matches"))
    [kept] = session.scalars(sa.select(Proposal))
    shown = [figures(article) for article in page.select("article")]
    for (lines, total), points in zip(shown, kept.points, strict=True):
        in_order = {factor: points[factor] for factor in matching.FACTORS}
        assert lines == [*matching.thousandths(in_order).values()]
        assert total == matching.shown_total(sum(points.values()))


def test_the_queries_do_not_grow_with_the_number_of_therapists(app, session, http, client):
    def asked_of(count):
        for number in range(count):
            make_therapist(session, name=f"Person {number}")
        session.commit()
        for _ in range(2):
            http.get("/matches")
        with statements_of(app) as statements:
            http.get("/matches")
        return len(statements)

    few = asked_of(3)
    # The last one is for the keys of the client's own answers.
    assert asked_of(20) == few <= 6


def test_first_come_the_questions(session, http):
    client = make_client(session)
    sign_in(http, client.user)
    assert "First a few questions" in text(http.get("/matches"))


def test_without_the_privacy_notice_nothing_is_compared(session, http):
    client = make_client(session, consents=False)
    make_intake(session, client)
    sign_in(http, client.user)
    assert http.get("/matches").location == "/consents/before-you-begin"


def test_without_a_place_it_is_asked_for_and_groups_are_offered(session, http):
    client = make_client(session, place="")
    make_intake(session, client, place=None)
    sign_in(http, client.user)
    make_therapist(session)
    session.commit()
    page = soup(http.get("/matches"))
    assert page.select_one("select[name=place]")
    assert page.select_one("a[href='/groups']")
    assert http.post("/matches/place", data={"place": ""}).status_code == 422
    assert http.post("/matches/place", data={"place": "US-WA"}).status_code == 303
    assert soup(http.get("/matches")).select("article")


def test_nobody_fits_says_what_stands_in_the_way_and_what_there_is(session, http, client):
    for number in range(11):
        make_therapist(session, name=f"Dear {number}", fee=90000)
    make_therapist(session, name="Far Off", formats=["in-person"])
    session.commit()
    page = text(http.get("/matches"))
    assert "Nobody fits all of it at the moment" in page
    assert "About 10 cost more than your limit" in page
    assert "Some do not meet in a way you chose" in page
    assert "See the groups" in page
    http.post("/matches/alert")
    assert "We will write to you once somebody can be offered" in text(http.get("/matches"))


def test_wishes_about_the_person_are_never_counted(session, http):
    wish = {"gender": {"want": ["woman"], "strength": "must_have"}}
    client = make_seeker(session, wishes=wish)
    sign_in(http, client.user)
    for number in range(12):
        make_therapist(session, name=f"Person {number}", identities={"gender": ["man"]})
    session.commit()
    page = text(http.get("/matches"))
    assert "Nobody fits" in page
    assert "What leaves most of them out" not in page


def test_beyond_everybodys_scope_leads_to_a_person_to_call(session, http):
    client = make_seeker(session, phq_9_9=3)
    sign_in(http, client.user)
    make_therapist(session, most_acuity=2)
    session.commit()
    page = soup(http.get("/matches"))
    assert page.select_one(".crisis-panel a[href='tel:988']")
    assert page.select_one("a[href='/therapists']")
    assert not page.select("article")


def test_nobody_is_said_to_read_an_answer_that_raised_no_flag(session, http):
    client = make_seeker(session, **{f"phq_9_{item}": 3 for item in range(1, 9)})
    sign_in(http, client.user)
    make_therapist(session, most_acuity=1)
    session.commit()
    page = text(http.get("/matches"))
    assert "You deserve more help than a weekly meeting" in page
    assert "Who reads this here" not in page


def test_an_answer_that_was_read_is_not_promised_to_be_read_again(session, http):
    client = make_seeker(session, phq_9_9=3)
    flag = newest_flag_of(latest_submitted(client))
    flag_operations.read_flag(session, flag, make_user(session, Role.duty_clinician), NOW)
    sign_in(http, client.user)
    make_therapist(session, most_acuity=2)
    session.commit()
    assert f"Who reads this here. {HAS_READ}" in text(http.get("/matches"))


@pytest.mark.parametrize(("thoughts", "panels"), [(0, 0), (3, 1)])
def test_where_nobody_fits_help_stands_above_it_for_who_may_be_in_danger(
    session, http, thoughts, panels
):
    """Too dear for them, and out of scope as well: the wishes to change are not all there is."""
    sign_in(http, make_seeker(session, phq_9_9=thoughts).user)
    make_therapist(session, fee=90000, most_acuity=2)
    session.commit()
    page = soup(http.get("/matches"))
    assert "Nobody fits all of it" in page.h1.get_text()
    assert len(page.select(".crisis-panel a[href='tel:988']")) == panels


SEVERE = {f"phq_9_{item}": 3 for item in range(1, 9)}


def nobody_fits(session, http, **answers):
    sign_in(http, make_seeker(session, **answers).user)
    page = soup(http.get("/matches"))
    assert "Nobody fits all of it" in page.h1.get_text()
    return page


def headings(page):
    return [re.sub(r"\s+", " ", one.get_text()) for one in page.select("main h2")]


@pytest.mark.parametrize("answers", [SEVERE, {"phq_9_9": 1}, {"phq_9_9": 3}])
def test_whoever_is_acutely_unwell_is_offered_a_person_before_wishes_to_change(
    session, http, answers
):
    """Too dear for them, and out of scope besides: a lower price would change nothing."""
    make_therapist(session, fee=90000, most_acuity=0)
    session.commit()
    page = nobody_fits(session, http, **answers)
    told = headings(page)
    person, wishes = (
        told.index(one)
        for one in ("A person should look at this with you", "What leaves most of them out")
    )
    assert person < wishes
    assert "changing them may not be enough" in page.get_text()
    assert len(page.select("main a[href='/matches/review']")) == 1


def test_whoever_is_less_unwell_is_shown_what_to_change_as_before(session, http):
    make_therapist(session, fee=90000)
    session.commit()
    page = nobody_fits(session, http)
    assert "A person should look at this with you" not in headings(page)
    assert "changing them may not be enough" not in page.get_text()


def test_that_a_person_should_look_tells_nobodys_scope(session, http):
    """Whether the one who is too dear would work with them or not, they read the same."""
    therapist = make_therapist(session, fee=90000)
    other = make_therapist(session, "Far Off", formats=["in-person"])
    session.commit()
    client = make_seeker(session, **SEVERE)
    sign_in(http, client.user)
    pages = []
    for mine, theirs in ((3, 3), (0, 3), (3, 0), (0, 0)):
        therapist.most_acuity, other.most_acuity = mine, theirs
        session.commit()
        pages.append(http.get("/matches").data)
    for page in pages[1:]:
        assert_same(pages[0], page)


# Why not …?


def why_not(http, name):
    return text(http.get("/matches/why-not", query_string={"name": name}))


def test_why_not_says_what_the_profile_prints(session, http, client):
    make_therapist(session, name="Ruth Adeyemi", fee=25000, open_places=0, formats=["telephone"])
    session.commit()
    page = why_not(http, "adeyemi")
    assert "Their lowest price, $250, is $50 above your limit." in page
    assert "no room at the moment" in page
    assert "they offer telephone" in page
    assert ONE_SENTENCE in page


PRIVATE = {
    "scope": ({"most_acuity": 0}, {"most_acuity": 3}),
    "age": ({"youngest": 60}, {"youngest": 18}),
    "style": ({"style": {"warm": -3}}, {"style": {}}),
    "how many places are open": ({"open_places": 1}, {"open_places": 4}),
    "when hours were confirmed": (
        {"hours_confirmed_at": NOW - timedelta(days=1)},
        {"hours_confirmed_at": NOW - timedelta(days=13)},
    ),
}


@pytest.mark.parametrize("fact", PRIVATE)
def test_worlds_that_differ_in_a_private_fact_give_the_same_bytes(session, http, client, fact):
    therapist = make_therapist(session, name="Ruth Adeyemi", fee=25000)
    pages = []
    for columns in PRIVATE[fact]:
        for column, value in columns.items():
            setattr(therapist, column, value)
        session.commit()
        pages.append(http.get("/matches/why-not?name=Ruth").data)
    assert_same(*pages)


def test_having_been_turned_down_shows_nowhere(session, http, client):
    therapist = make_therapist(session, name="Ruth Adeyemi", fee=25000)
    session.commit()
    before = http.get("/matches/why-not?name=Ruth").data
    request = make_request(session, client, therapist, at=NOW - timedelta(days=1))
    request.move_to(RequestState.declined, NOW)
    session.commit()
    assert_same(before, http.get("/matches/why-not?name=Ruth").data)


def test_exact_hours_show_only_as_the_parts_of_the_day_that_are_printed(session, http, client):
    therapist, pages = make_therapist(session, name="Ruth Adeyemi"), []
    for starts, ends in (((8, 30), (10, 30)), ((9, 45), (11, 0))):
        therapist.hours = [WeeklyHours(weekday=2, starts=time(*starts), ends=time(*ends))]
        session.commit()
        pages.append(http.get("/matches/why-not?name=Ruth").data)
    assert b"The nearest is Wednesday morning" in pages[0]
    assert_same(*pages)


@pytest.mark.parametrize("state", [each for each in LicenceState if each != "verified"])
def test_a_licence_that_does_not_count_is_as_unknown_as_none(session, http, client, state):
    """Declared here, refused, suspended or revoked: none of it is printed anywhere."""
    therapist = make_therapist(session, name="Ruth Adeyemi", places=("US-OR",), fee=25000)
    session.commit()
    without = http.get("/matches/why-not?name=Ruth").data
    assert b"no licence in force for Washington" in without
    make_licence(session, therapist, "US-WA", state=state)
    session.commit()
    assert_same(without, http.get("/matches/why-not?name=Ruth").data)


def test_whoever_closed_their_account_is_as_unknown_as_nobody(session, http, client):
    nobody = http.get("/matches/why-not?name=Ruth").data
    therapist = make_therapist(session, name="Ruth Adeyemi")
    therapist.user.disabled_at = NOW
    session.commit()
    assert_same(nobody, http.get("/matches/why-not?name=Ruth").data)
    pages = [
        http.get(f"/matches/why-not?therapist={each}").data
        for each in (therapist.public_id, uuid.uuid4())
    ]
    assert_same(*(re.sub(rb"therapist=[0-9a-f-]{36}", b"", page) for page in pages))


def test_having_been_turned_down_by_everybody_looks_like_any_private_reason(session, http):
    """Nothing printed fails: declined and out of scope read the same, and only the sentence."""
    pages = []
    for answers, declined in (({}, True), ({"phq_9_9": 3}, False)):
        client = make_seeker(session, **answers)
        therapist = make_therapist(session, name="Ruth Adeyemi", most_acuity=2)
        if declined:
            make_request(session, client, therapist, at=NOW - timedelta(days=1)).move_to(
                RequestState.declined, NOW
            )
        sign_in(http, client.user)
        pages.append(http.get("/matches/why-not?name=Ruth").data)
        therapist.user.disabled_at = NOW
        session.commit()
    shown = [
        BeautifulSoup(page, "html.parser").select_one("main article, main .card") for page in pages
    ]
    told = [re.sub(r"\s+", " ", one.get_text(" ")) for one in shown]
    assert told[0] == told[1]
    assert ONE_SENTENCE in told[0]


@pytest.mark.parametrize("state", list(ApplicationState))
def test_whoever_has_no_public_profile_is_as_unknown_as_nobody(session, http, client, state):
    nobody = http.get("/matches/why-not?name=Ruth").data
    if state is not ApplicationState.verified:
        make_therapist(session, name="Ruth Adeyemi", state=state)
        session.commit()
    assert_same(nobody, http.get("/matches/why-not?name=Ruth").data)


def assert_same(one, other):
    # What every answer has anew, whoever asks for whatever.
    anew = rb'name="csrf_token" value="[^"]*"|nonce="[^"]*"'
    assert re.sub(anew, b"", one) == re.sub(anew, b"", other)


def test_of_several_with_the_name_one_is_chosen(session, http, client):
    make_therapist(session, name="Ruth Adeyemi")
    make_therapist(session, name="Ruth Baum")
    session.commit()
    page = soup(http.get("/matches/why-not?name=ruth"))
    [link] = [a for a in page.select("main a") if a.get_text() == "Ruth Baum"]
    assert "Ruth Baum is number" in text(http.get(link["href"]))


@pytest.mark.parametrize(("count", "has_more"), [(10, False), (11, True)])
def test_of_more_than_ten_with_the_name_it_is_said_that_there_are_more(
    session, http, client, count, has_more
):
    for number in range(count):
        make_therapist(session, name=f"Ruth {number:02}")
    session.commit()
    page = soup(http.get("/matches/why-not?name=ruth"))
    assert len([a for a in page.select("main a") if a.get_text().startswith("Ruth ")]) == 10
    assert ("There are more; type the whole name." in page.get_text()) is has_more


def test_somebody_further_down_the_list_is_told_with_the_same_sum(session, http, client):
    for name in ("Ana Alder", "Ben Birch", "Cora Cedar"):
        make_therapist(session, name=name)
    make_therapist(session, name="Zoe Last", skills={})
    session.commit()
    page = soup(http.get("/matches/why-not?name=Zoe"))
    assert "Zoe Last is number 4 on your list" in page.get_text()
    lines, total = figures(page)
    assert sum(lines) == total


def test_what_tells_them_apart_from_the_last_one_shown_adds_up(session, http, client):
    for name in ("Ana Alder", "Ben Birch", "Cora Cedar"):
        make_therapist(session, name=name, fee=9000)
    make_therapist(session, name="Zoe Last", skills={}, fee=18000)
    session.commit()
    page = soup(http.get("/matches/why-not?name=Zoe"))
    [told] = [each for each in page.select(".card") if "What tells them apart" in each.get_text()]
    ahead = int(re.search(r"is (\d+) of 1000 ahead", told.get_text())[1])
    lines = re.findall(r"(\d+) (ahead|behind)", " ".join(dd.get_text() for dd in told.select("dd")))
    assert sum(int(by) if way == "ahead" else -int(by) for by, way in lines) == ahead
    assert lines


def test_somebody_just_beyond_the_first_list_is_called_as_close(session, http, client):
    for number in range(4):
        make_therapist(session, name=f"Person {number}")
    session.commit()
    fourth = max(session.scalars(sa.select(Therapist)), key=lambda one: str(one.public_id))
    page = text(http.get(f"/matches/why-not?therapist={fourth.public_id}"))
    assert "is number 4 on your list" in page
    assert "They fit about as closely as" in page


# Asking


def ask_address(therapist):
    return f"/therapists/{therapist.public_id}/request"


def test_asking_shows_exactly_what_would_be_read(session, http, client):
    therapist = make_therapist(session)
    session.commit()
    page = text(http.get(ask_address(therapist)))
    assert STORY in page
    assert "they never see your budget, your wishes about the person, or your scores" in page


def test_nothing_about_health_is_ticked_beforehand(session, http, client):
    therapist = make_therapist(session)
    session.commit()
    boxes = soup(http.get(ask_address(therapist))).select("input[name=share]")
    assert {box["value"]: box.has_attr("checked") for box in boxes} == {
        "concerns": False,
        "words": False,
        "hours": True,
        "languages": True,
    }


def test_a_request_goes_out_with_what_was_ticked(session, http, client):
    therapist = make_therapist(session)
    session.commit()
    answer = http.post(ask_address(therapist), data={"name": "Sam", "share": ["concerns"]})
    request = session.scalars(sa.select(MatchRequest)).one()
    assert answer.location == f"/requests/{request.public_id}"
    assert set(request.shared) == {"name", "concerns"}
    assert "Waiting for their answer" in text(http.get(answer.location))


def test_a_double_click_is_one_request(session, http, client):
    therapist = make_therapist(session)
    session.commit()
    answers = [http.post(ask_address(therapist), data={"name": "Sam"}) for _ in range(2)]
    assert answers[0].location == answers[1].location
    assert session.scalar(sa.select(sa.func.count()).select_from(MatchRequest)) == 1


def test_what_was_typed_is_kept_when_it_is_too_long(session, http, client):
    therapist = make_therapist(session)
    session.commit()
    answer = http.post(ask_address(therapist), data={"name": "S" * 81, "share": ["words"]})
    assert answer.status_code == 422
    page = soup(answer)
    assert page.select_one("input[name=name]")["value"] == "S" * 81
    assert [box["value"] for box in page.select("input[name=share][checked]")] == ["words"]


def test_somebody_who_is_not_listed_cannot_be_asked(session, http, client):
    hidden = make_therapist(session, state=ApplicationState.suspended)
    session.commit()
    assert http.get(ask_address(hidden)).status_code == 404


ALWAYS = {
    "no room": ({"open_places": 0}, "no room at the moment"),
    "no licence here": ({"places": ("US-OR",)}, "no licence in force for Washington"),
    "another kind of help": ({"services": ["couple"]}, "They do not list what you asked for"),
}


@pytest.mark.parametrize("fact", ALWAYS)
def test_where_a_printed_fact_always_refuses_there_is_no_form(session, http, client, fact):
    columns, words = ALWAYS[fact]
    therapist = make_therapist(session, name="Ruth Adeyemi", **columns)
    session.commit()
    page = soup(http.get(ask_address(therapist)))
    assert "Ruth Adeyemi cannot be asked at the moment" in page.h1.get_text()
    assert words in page.get_text()
    assert not page.select("input[name=share]")
    for way in ("/matches", "/waiting", "/matches/review"):
        assert page.select(f"main a[href='{way}']"), way


def test_what_is_only_a_wish_refuses_nobody(session, http, client):
    therapist = make_therapist(session, fee=90000, formats=["telephone"])
    session.commit()
    page = soup(http.get(ask_address(therapist)))
    assert "Good to know before you ask" in page.get_text()
    assert page.select("input[name=share]")


@pytest.mark.parametrize("becomes", [{"open_places": 0}, {"most_acuity": 0}])
def test_nothing_typed_is_lost_when_they_cannot_be_asked_by_now(session, http, client, becomes):
    """Of what is printed nowhere the page says no more than that there can be reasons."""
    therapist = make_therapist(session, name="Ruth Adeyemi")
    session.commit()
    http.get(ask_address(therapist))
    for column, value in becomes.items():
        setattr(therapist, column, value)
    session.commit()
    answer = http.post(ask_address(therapist), data={"name": "Sam Doe", "share": ["words"]})
    assert answer.status_code == 409
    page = soup(answer)
    assert "So nothing was sent." in page.get_text()
    assert ("no room at the moment" in page.get_text()) is ("open_places" in becomes)
    assert (ONE_SENTENCE in page.get_text()) is ("open_places" not in becomes)
    assert page.select_one("input[name=name]")["value"] == "Sam Doe"
    assert [box["value"] for box in page.select("input[name=share][checked]")] == ["words"]
    assert not session.scalars(sa.select(MatchRequest)).all()


def test_whoever_is_listed_no_more_by_now_leads_back_to_the_list_in_words(session, http, client):
    therapist = make_therapist(session, name="Ruth Adeyemi")
    session.commit()
    http.get(ask_address(therapist))
    therapist.user.disabled_at = NOW
    session.commit()
    answer = http.post(ask_address(therapist), data={"name": "Sam"})
    assert answer.location == "/matches"
    assert "This therapist cannot be asked at the moment." in text(http.get("/matches"))


def test_after_no_answer_the_next_is_offered_and_asked_in_one_click(session, http, clock, client):
    first, second = make_therapist(session, name="Ana Alder"), make_therapist(session, name="Ben B")
    request = make_request(session, client, first, share=("words",))
    session.commit()
    clock.move_to(request.answer_due_at)
    sign_in(http, client.user)
    page = soup(http.get("/matches"))
    assert "Ana Alder could not answer in time" in page.get_text()
    form = page.select_one("main form[method=post]")
    assert form["action"] == ask_address(second)
    told = "This goes along again: What you want to be called; Your own words."
    assert told in page.get_text(), "consent is to what one has read"
    fields = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    assert http.post(form["action"], data=fields).status_code == 303
    newest = session.scalars(sa.select(MatchRequest).order_by(MatchRequest.id.desc())).first()
    assert newest.therapist_id == second.id
    assert set(newest.shared) == {"name", "words"}


def test_while_one_is_asked_nobody_else_can_be(session, http, client):
    therapist, other = make_therapist(session), make_therapist(session, name="Ben Birch")
    request = make_request(session, client, therapist)
    session.commit()
    assert not soup(http.get("/matches")).find_all("a", string="Ask for a first meeting")
    assert http.get(ask_address(other)).location == f"/requests/{request.public_id}"


def test_the_client_withdraws(session, http, client):
    request = make_request(session, client)
    session.commit()
    http.post(f"/requests/{request.public_id}/withdrawal")
    session.expire_all()
    assert session.get(MatchRequest, request.id).state is RequestState.withdrawn


# The therapist's side


@pytest.fixture
def asked(session, http):
    """A request, with its therapist signed in."""
    request = make_request(session)
    sign_in(http, request.therapist.user)
    return request


def page_of(request):
    return f"/requests/{request.public_id}"


def test_the_inbox_has_the_longest_wait_first_and_nothing_that_was_shared(session, http):
    therapist = make_therapist(session)
    for hours, name in ((1, "Later"), (30, "Earlier")):
        request = make_request(session, therapist=therapist, at=NOW - timedelta(hours=hours))
        request.shared = {**request.shared, "name": name}
    sign_in(http, therapist.user)
    page = text(http.get("/requests"))
    assert page.index("Earlier") < page.index("Later")
    assert STORY not in page
    assert "Panic" not in page


def test_an_overdue_request_is_marked(session, http, clock):
    request = make_request(session)
    clock.move_to(request.answer_due_at + timedelta(minutes=1))
    sign_in(http, request.therapist.user)
    assert "Too late" in text(http.get("/requests"))
    assert STORY not in text(http.get(page_of(request)))


def test_the_therapist_reads_what_was_shared_and_it_is_written_down(session, http, asked):
    page = text(http.get(page_of(asked)))
    assert STORY in page
    assert "$200" not in page
    assert "PHQ" not in page
    views = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "request.viewed"))
    [view] = views.all()
    assert view.actor_id == asked.therapist.user.public_id
    assert STORY not in str(view.details)


def test_what_was_not_shared_is_not_there(session, http):
    request = make_request(session, share=())
    sign_in(http, request.therapist.user)
    page = text(http.get(page_of(request)))
    assert STORY not in page
    assert "Panic" not in page


def test_a_double_click_on_yes_takes_one_place(session, http, asked):
    for _ in range(2):
        assert http.post(f"{page_of(asked)}/acceptance").status_code == 303
    session.expire_all()
    assert session.get(MatchRequest, asked.id).therapist.open_places == 2


def test_without_room_the_therapist_is_told_and_nothing_changes(session, http, asked):
    asked.therapist.open_places = 0
    session.commit()
    http.post(f"{page_of(asked)}/acceptance")
    assert "You have no open place at the moment" in text(http.get(page_of(asked)))
    session.expire_all()
    assert session.get(MatchRequest, asked.id).state is RequestState.sent


def test_a_no_with_a_few_words_reaches_the_client_and_hides_what_was_shared(session, http, asked):
    http.post(f"{page_of(asked)}/refusal", data={"reply": "My week is full until spring."})
    assert STORY not in text(http.get(page_of(asked)))
    sign_in(http, asked.client.user)
    page = text(http.get("/matches"))
    assert "cannot take you on at the moment" in page
    assert "My week is full until spring." in page


def test_after_withdrawing_the_therapist_reads_nothing(session, http, asked):
    client_browser = http.application.test_client()
    sign_in(client_browser, asked.client.user)
    client_browser.post(f"{page_of(asked)}/withdrawal")
    assert STORY not in text(http.get(page_of(asked)))


@pytest.mark.parametrize("role", list(Role))
def test_somebody_elses_request_is_not_found(session, http, role):
    request = make_request(session)
    if role is Role.client:
        other = make_client(session).user
    elif role is Role.therapist:
        other = make_therapist(session, name="Another").user
    else:
        other = make_user(session, roles=(role,))
    sign_in(http, other)
    for method, address in (
        ("get", ""),
        ("post", "/acceptance"),
        ("post", "/refusal"),
        ("post", "/withdrawal"),
    ):
        answer = getattr(http, method)(page_of(request) + address)
        assert answer.status_code == 404
        assert STORY.encode() not in answer.data
    session.expire_all()
    assert session.get(MatchRequest, request.id).state is RequestState.sent


@pytest.mark.parametrize("query", ["/matches?limit=" + "9" * 5000, "/matches/why-not?name=A%00na"])
def test_an_odd_query_is_no_error(session, http, query):
    client = make_seeker(session)
    make_therapist(session)
    sign_in(http, client.user)
    assert http.get(query).status_code == 200
