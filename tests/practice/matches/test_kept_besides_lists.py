"""Sums that are shown outside a list are kept like one, come out again, and count as no list."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

import matching
from practice.accounts.models import Role
from practice.consent.models import Purpose, Signature
from practice.matches import operations
from practice.matches.market import weighing
from practice.matches.market.prices import set_prices
from practice.matches.models import Proposal, ProposalKind
from practice.matches.reach.policy import lists_in
from practice.matches.replaying import NoSuchList, ReplayReason, Verdict, replay, replayed
from practice.matches.reviews import operations as reviews
from practice.oversight.weights.people import LOOKED_BACK, newest_lists
from practice.privacy.copying import everything_of
from practice.privacy.operations import erase
from tests.builders.accounts import make_user, sign_in
from tests.builders.consent import make_revocation
from tests.builders.matches import make_list, make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

WHY_NOT = "/matches/why-not?name=Zoe"
WEIGHTS = {**matching.DEFAULT_WEIGHTS.by_factor, "hours": 250, "concerns": 200}


@pytest.fixture
def therapists(session):
    """In the order in which they fit; Zoe Last stands fifth."""
    skilled = {
        "Ana Alder": {"panic": 3, "grief": 3},
        "Ben Birch": {"panic": 3, "grief": 1},
        "Cora Cedar": {"panic": 2, "grief": 1},
        "Dora Dale": {"panic": 1, "grief": 1},
        "Zoe Last": {},
    }
    return [make_therapist(session, name, skills=skills) for name, skills in skilled.items()]


@pytest.fixture
def client(session, http, therapists):
    client = make_seeker(session)
    session.commit()
    sign_in(http, client.user)
    return client


@pytest.fixture
def review(session, client):
    review = reviews.ask(session, client, "Is there really nobody else?", NOW)
    session.commit()
    return review


@pytest.fixture
def lead(session):
    lead = make_user(session, name="Constance Whitfield", roles=(Role.clinical_lead,))
    session.commit()
    return lead


def page_of(http, address):
    answer = http.get(address)
    assert answer.status_code == 200
    return BeautifulSoup(answer.data, "html.parser").main


def number_on(page):
    [told] = [each for each in page.select("p.soft") if "Number of" in each.get_text()]
    return told.select_one(".num").get_text()


def totals_on(page):
    return [int(re.match(r"\d+", each.get_text())[0]) for each in page.select(".sum .total .num")]


def kept(session):
    session.expire_all()
    return session.scalars(sa.select(Proposal).order_by(Proposal.id)).all()


def change_everything(session, therapists):
    administrator = make_user(session, roles=[Role.administrator])
    weighing.publish(session, WEIGHTS, "Hours matter more.", administrator, NOW, after=1)
    set_prices(session, {str(one.public_id): 90_000 for one in therapists}, NOW)
    for one in therapists:
        one.fee, one.skills, one.open_places = 20_000, {}, 0
    session.commit()


def test_why_not_about_somebody_who_fits_has_a_number_and_comes_out_to_the_point(
    session, http, client, therapists
):
    page = page_of(http, WHY_NOT)
    assert number_on(page_of(http, WHY_NOT)) == number_on(page)
    change_everything(session, therapists)
    [proposal] = kept(session)
    assert (str(proposal.public_id), proposal.kind) == (number_on(page), ProposalKind.why_not)
    found = replayed(proposal)
    assert (found.verdict, found.place_told) == (Verdict.same, 5)
    assert found.therapists[-1].name == "Zoe Last"
    # Beside them the last of the first list, so that what tells them apart comes out as well.
    other, asked = (matching.shown_total(one.total) for one in found.therapists)
    assert [asked] == totals_on(page)
    [apart] = re.findall(r"is (\d+) of 1000 ahead", page.get_text())
    assert abs(other - asked - int(apart)) <= 1


def test_of_one_among_the_first_only_their_own_sum_is_kept(session, http, client):
    page = page_of(http, "/matches/why-not?name=Ana")
    assert "Ana Alder is number 1 on your list" in page.get_text()
    [proposal] = kept(session)
    assert [one.name for one in replayed(proposal).therapists] == ["Ana Alder"]


def test_another_place_is_another_answer_and_kept_as_well(session, http, client):
    page = page_of(http, WHY_NOT)
    make_therapist(session, "Eve Elder", fee=9000, skills={"panic": 3, "grief": 3})
    session.commit()
    numbers = {number_on(page), number_on(page_of(http, WHY_NOT))}
    assert numbers == {str(one.public_id) for one in kept(session)}
    assert [one.place_told for one in kept(session)] == [5, 6]


def test_why_not_about_somebody_who_is_left_out_keeps_nothing(session, http, client, therapists):
    therapists[-1].open_places = 0
    session.commit()
    assert "Number of" not in page_of(http, WHY_NOT).get_text()
    page_of(http, "/matches/why-not?name=Nobody")
    assert kept(session) == []


def test_what_the_lead_is_shown_has_a_number_and_comes_out_to_the_point(
    session, http, review, lead, therapists
):
    sign_in(http, lead)
    address = f"/reviews/{review.public_id}"
    page = page_of(http, address)
    assert number_on(page_of(http, address)) == number_on(page)
    change_everything(session, therapists)
    [proposal] = kept(session)
    assert (str(proposal.public_id), proposal.kind) == (number_on(page), ProposalKind.review)
    assert proposal.client_id == review.client_id
    found = replayed(proposal)
    assert (found.verdict, found.place_told) == (Verdict.same, None)
    assert [matching.shown_total(one.total) for one in found.therapists] == totals_on(page)


def test_where_nobody_fits_the_lead_is_told_no_number(session, http, review, lead, therapists):
    for one in therapists:
        one.open_places = 0
    session.commit()
    sign_in(http, lead)
    assert "Number of" not in page_of(http, f"/reviews/{review.public_id}").get_text()
    assert kept(session) == []


@pytest.mark.parametrize("change", [{"kind": "matches"}, {"kind": "review"}, {"place": 2}])
def test_a_kind_or_a_place_that_was_changed_from_outside_is_told(session, http, client, change):
    page_of(http, WHY_NOT)
    [proposal] = kept(session)
    proposal.kind = ProposalKind(change.get("kind", proposal.kind))
    proposal.place_told = change.get("place", proposal.place_told)
    session.commit()
    assert replayed(kept(session)[0]).verdict is Verdict.changed


def test_they_count_as_no_list_of_anybodys(session, http, client, therapists, review, lead):
    shown = make_list(session, client, at=NOW - timedelta(hours=1))
    session.commit()
    page_of(http, WHY_NOT)
    sign_in(http, lead)
    page_of(http, f"/reviews/{review.public_id}")
    assert len(kept(session)) == 3
    lists = session.scalars(lists_in(NOW - timedelta(days=1), NOW + timedelta(days=1)))
    assert [one.id for one in lists] == [shown.id]
    assert newest_lists(NOW - LOOKED_BACK) == (1, [shown.id])


def test_asking_somebody_rests_on_the_list_and_not_on_why_not(session, http, client, therapists):
    shown = make_list(session, client, at=NOW - timedelta(hours=1))
    session.commit()
    page_of(http, "/matches/why-not?name=Ana")
    page_of(http, WHY_NOT)
    asked = {"share": (), "name": "Sam", "actor": client.user, "at": NOW}
    request = operations.ask(session, client, therapists[-1], **asked)
    assert request.proposal is None
    operations.withdraw(session, request, client.user, NOW)
    session.flush()
    assert operations.ask(session, client, therapists[0], **asked).proposal_id == shown.id


def test_a_list_of_one_is_kept_beside_the_same_answer_to_why_not(session, http):
    make_therapist(session, "Ana Alder")
    client = make_seeker(session)
    session.commit()
    sign_in(http, client.user)
    numbers = {number_on(page_of(http, page)) for page in ("/matches/why-not?name=Ana", "/matches")}
    assert len(numbers) == 2
    assert {one.kind for one in kept(session)} == {ProposalKind.why_not, ProposalKind.matches}


def test_the_copy_of_a_persons_data_holds_them_apart_from_the_lists(
    session, http, client, review, lead
):
    page_of(http, WHY_NOT)
    sign_in(http, lead)
    page_of(http, f"/reviews/{review.public_id}")
    session.commit()
    copied = everything_of(session, client, NOW)["matches"]
    by_kind = {one.kind: str(one.public_id) for one in kept(session)}
    assert copied["lists"] == []
    [told], [looked] = copied["why_not"], copied["looked_again"]
    assert (told["number"], told["place_told"]) == (by_kind[ProposalKind.why_not], 5)
    assert told["shown"][-1]["therapist"] == "Zoe Last"
    assert (looked["number"], looked["place_told"]) == (by_kind[ProposalKind.review], None)


@pytest.mark.parametrize("end", ["forgotten", "without the notice"])
def test_with_the_person_they_go_and_without_the_notice_none_comes_out(session, http, client, end):
    page_of(http, WHY_NOT)
    [number] = [one.public_id for one in kept(session)]
    if end == "forgotten":
        erase(session, client, None, NOW)
    else:
        notice = Signature.purpose == Purpose.privacy_notice
        make_revocation(session, session.scalars(sa.select(Signature).where(notice)).one())
    session.commit()
    assert (kept(session) == []) == (end == "forgotten")
    with pytest.raises(NoSuchList):
        replay(session, number, ReplayReason.asked, actor_id=None, actor_role="operator", at=NOW)


def test_a_replay_page_says_what_it_was_and_whose_it_was_not(session, http, client):
    page = page_of(http, WHY_NOT)
    ines = make_user(session, name="Ines", roles=[Role.administrator])
    session.commit()
    sign_in(http, ines)
    told = http.post("/oversight/replay", data={"number": number_on(page), "reason": "complaint"})
    assert told.status_code == 200
    main = BeautifulSoup(told.data, "html.parser").main.get_text(" ")
    assert "An answer to “why not?”" in main
    assert "number 5 on the whole list" in main
    assert "Equal to the point" in main
    private = [client.user.email, str(client.public_id), str(client.user.public_id)]
    assert not [each for each in private if each in told.get_data(as_text=True)]
