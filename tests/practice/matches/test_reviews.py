"""A person looks again: asked in a few words, answered with a reason, then seen no more."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from core.errors import NotAllowed, WrongState
from core.outbox import OutboxMessage
from practice.accounts.models import Role, UserRole
from practice.care.opened import opening_of
from practice.consent.models import Purpose
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from practice.matches.reviews import operations as reviews
from practice.matches.reviews.models import MatchReview, ReviewState
from practice.matches.sweeps import say_what_is_late
from practice.privacy.deleting import delete_what_may_go
from practice.privacy.keeping import Stays
from practice.therapists.models import ApplicationState
from tests.builders.accounts import make_user, sign_in
from tests.builders.counting import statements_of
from tests.builders.intake import STORY
from tests.builders.matches import make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

WORDS = "I would rather see somebody who has lost a parent, too."
ANSWER = "I looked at everybody near you; Ana has worked with grief for years."


def text(answer):
    assert answer.status_code in {200, 422}, answer.status_code
    page = BeautifulSoup(answer.data, "html.parser")
    return re.sub(r"\s+", " ", page.get_text(" "))


def address(review, act=""):
    return f"/reviews/{review.public_id}{act}"


def mails(session):
    rows = session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id))
    return [row.payload for row in rows]


@pytest.fixture
def client(session):
    return make_seeker(session)


@pytest.fixture
def lead(session):
    return make_user(session, name="Constance Whitfield", roles=(Role.clinical_lead,))


@pytest.fixture
def asked(session, client, lead):
    review = reviews.ask(session, client, WORDS, NOW)
    session.commit()
    return review


def answer(session, review, lead, suggested=()):
    reviews.answer(session, review, ANSWER, suggested, lead, NOW)


# Asking


def test_an_answer_is_promised_within_three_working_days_on_the_clinics_clock(session, client):
    friday = datetime(2026, 12, 4, 18, 0, tzinfo=UTC)
    review = reviews.ask(session, client, "", friday)
    assert review.due_at == datetime(2026, 12, 9, 18, 0, tzinfo=UTC)


def test_one_is_open_at_a_time_and_another_may_follow(session, client, lead, asked):
    with pytest.raises(reviews.AlreadyAsked):
        reviews.ask(session, client, WORDS, NOW)
    session.rollback()
    answer(session, asked, lead)
    assert reviews.ask(session, client, WORDS, NOW).is_open


def test_the_mails_name_nobody_and_nothing(session, client, lead, asked):
    answer(session, asked, lead)
    assert {mail["to"] for mail in mails(session)} == {lead.email, client.user.email}
    for mail in mails(session):
        said = (mail["subject"] + mail["body"]).lower()
        assert not any(word in said for word in ("parent", "grief", "therap", "phq"))


def test_without_the_privacy_notice_nobody_can_be_asked(session, client):
    take_back_notice(session, client)
    with pytest.raises(reviews.NoNotice):
        reviews.ask(session, client, WORDS, NOW)


def test_taking_back_the_notice_takes_back_what_is_open(session, client, asked):
    take_back_notice(session, client)
    assert asked.state is ReviewState.withdrawn


def take_back_notice(session, client):
    signatures = session.scalars(signatures_of(client))
    [notice] = [one for one in signatures if one.purpose is Purpose.privacy_notice]
    revoke(session, notice, client.user, NOW)


# Answering


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.clinical_lead])
def test_only_the_clinical_lead_answers(session, asked, role):
    with pytest.raises(NotAllowed):
        answer(session, asked, make_user(session, roles=(role,)))


def test_nobody_answers_their_own(session, client, asked):
    client.user.role_rows.append(UserRole(role=Role.clinical_lead, granted_at=NOW))
    session.flush()
    with pytest.raises(NotAllowed):
        answer(session, asked, client.user)


def test_what_was_taken_back_meanwhile_is_not_answered(session, lead, asked):
    reviews.withdraw(session, asked, NOW)
    with pytest.raises(WrongState):
        answer(session, asked, lead)
    assert asked.answer == ""


@pytest.mark.parametrize(
    "columns",
    [{"places": ("US-OR",)}, {"state": ApplicationState.suspended}, {"hours_confirmed_at": None}],
    ids=["licensed elsewhere", "suspended", "hours not confirmed"],
)
def test_only_somebody_listed_and_licensed_there_is_suggested(session, lead, asked, columns):
    with pytest.raises(reviews.NotListed):
        answer(session, asked, lead, [make_therapist(session, **columns)])
    assert asked.is_open


def test_each_act_is_written_down_without_a_word_of_it(session, client, lead, asked):
    answer(session, asked, lead, [make_therapist(session)])
    entries = session.scalars(
        sa.select(AuditEntry).where(AuditEntry.subject_id == asked.public_id)
    ).all()
    assert {entry.action for entry in entries} == {"review.asked", "review.answered"}
    assert all(entry.client_id == client.public_id for entry in entries)
    assert "parent" not in str([entry.details for entry in entries])


def test_it_goes_with_everything_else_that_may_go(session, client, lead, asked):
    answer(session, asked, lead, [make_therapist(session)])
    delete_what_may_go(session, client, Stays())
    assert session.scalar(sa.select(sa.func.count()).select_from(MatchReview)) == 0


# Late


@pytest.fixture
def admin(session):
    return make_user(session, name="Ines Okafor", roles=(Role.administrator,))


def test_a_late_answer_is_escalated_once_and_not_a_second_early(
    session, client, lead, admin, asked
):
    told = len(mails(session))
    say_what_is_late(asked.due_at - timedelta(seconds=1))
    assert len(mails(session)) == told
    for _ in range(2):
        say_what_is_late(asked.due_at)
    session.expire_all()
    late = mails(session)[told:]
    assert {mail["to"] for mail in late} == {lead.email, admin.email}
    assert len(late) == 2
    assert not any(word in str(late).lower() for word in ("parent", "late", "match", "sam"))
    act = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "review.late")).one()
    assert (act.actor_id, act.client_id) == (None, client.public_id)


def test_what_was_answered_or_taken_back_is_not_late(session, client, lead, admin, asked):
    reviews.withdraw(session, asked, NOW)
    session.commit()
    say_what_is_late(asked.due_at)
    session.expire_all()
    assert asked.told_late_at is None
    assert admin.email not in {mail["to"] for mail in mails(session)}


def test_one_that_cannot_be_escalated_holds_up_none_behind_it(session, lead, asked, monkeypatch):
    other = reviews.ask(session, make_seeker(session), "", NOW)
    session.commit()
    odd, say = asked.id, reviews.say_it_is_late

    def failing(work, review, at):
        if review.id == odd:
            raise RuntimeError
        return say(work, review, at)

    monkeypatch.setattr(reviews, "say_it_is_late", failing)
    say_what_is_late(other.due_at)
    session.expire_all()
    assert other.told_late_at == other.due_at


def test_a_lead_who_asked_themselves_is_not_told_of_their_own(session, client, lead, asked):
    client.user.role_rows.append(UserRole(role=Role.administrator, granted_at=NOW))
    session.commit()
    say_what_is_late(asked.due_at)
    assert client.user.email not in {mail["to"] for mail in mails(session)}


def test_administrators_read_how_many_are_late_and_of_whom_nothing(
    session, http, clock, client, admin, asked
):
    sign_in(http, admin)
    assert "late" not in text(http.get("/oversight/staff")).lower()
    clock.move_to(asked.due_at)
    sign_in(http, admin)
    page = text(http.get("/oversight/staff"))
    assert "A promised answer to a client is late" in page
    assert client.preferred_name not in page.split("A promised answer")[1]


# The pages


def test_a_client_asks_reads_the_promise_and_takes_it_back(session, http, client, lead):
    sign_in(http, client.user)
    make_therapist(session)
    session.commit()
    assert "Ask a person to look at this" in text(http.get("/matches"))
    assert http.post("/matches/review", data={"words": WORDS}).status_code == 303
    page = text(http.get("/matches/review"))
    assert WORDS in page
    assert "The clinical lead answers by" in page
    review = session.scalars(sa.select(MatchReview)).one()
    http.post(f"/matches/reviews/{review.public_id}/withdrawal")
    assert "Ask a person to look at this" in text(http.get("/matches/review"))
    assert "Your request is" not in text(http.get("/matches/review"))


def test_it_can_be_asked_when_nobody_fits(http, client):
    sign_in(http, client.user)
    assert "Ask a person to look at this" in text(http.get("/matches"))


def test_too_many_words_are_told_and_kept(http, client):
    sign_in(http, client.user)
    answer = http.post("/matches/review", data={"words": "w" * 1001})
    assert answer.status_code == 422
    assert "w" * 1001 in text(answer)


def test_where_words_for_the_lead_are_typed_it_says_that_nobody_reads_them_at_once(http, client):
    sign_in(http, client.user)
    main = BeautifulSoup(http.get("/matches/review").data, "html.parser").main
    assert "Nobody reads this at once" in main.get_text()
    assert main.select_one("form a[href='tel:988']")


def test_a_late_answer_is_said_to_be_late(http, clock, client, asked):
    clock.move_to(asked.due_at + timedelta(minutes=1))
    sign_in(http, client.user)
    assert "We are late" in text(http.get("/matches/review"))


def test_the_lead_sees_what_is_compared_and_neither_story_nor_questionnaires(
    session, http, client, lead, asked
):
    make_therapist(session, name="Ana Alder")
    session.commit()
    sign_in(http, lead)
    assert WORDS not in text(http.get("/reviews"))
    page = text(http.get(address(asked)))
    assert WORDS in page
    assert "Panic" in page
    assert "At most $200" in page
    assert "Ana Alder" in page
    assert STORY not in page
    assert "PHQ" not in page
    [view] = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "review.viewed"))
    assert view.actor_id == lead.public_id
    told = [opening_of(entry, "Constance") for entry in openings(session)]
    assert [each.reason_label for each in told] == ["You asked a person to look"] * 2


def openings(session):
    """Of the list of those who asked, and of the one."""
    looks = AuditEntry.action.in_(["review.viewed", "reviews.viewed"])
    return session.scalars(sa.select(AuditEntry).where(looks).order_by(AuditEntry.id)).all()


def test_the_lead_answers_and_the_client_reads_it(session, http, client, lead, asked):
    listed = make_therapist(session, name="Ana Alder")
    full = make_therapist(session, name="Ben Birch", open_places=0)
    session.commit()
    sign_in(http, lead)
    sent = {"answer": ANSWER, "names": "ana alder\nBen Birch\n"}
    assert http.post(address(asked, "/answer"), data=sent).location == "/reviews"
    assert "Nothing waits" in text(http.get("/reviews"))
    sign_in(http, client.user)
    answer = http.get("/matches/review")
    page = text(answer)
    assert ANSWER in page
    assert "Constance Whitfield" in page
    assert f"/therapists/{listed.public_id}/request".encode() in answer.data
    assert f"/therapists/{full.public_id}/request".encode() not in answer.data
    assert "Ben Birch (cannot be asked at the moment)" in page


def test_a_name_that_is_not_exactly_one_is_told_and_nothing_is_lost(session, http, lead, asked):
    for name in ("Ana Alder", "Ana Alder"):
        make_therapist(session, name=name)
    make_therapist(session, name="Vera Lund", places=("US-OR",))
    session.commit()
    sign_in(http, lead)
    sent = {"answer": ANSWER, "names": "Ana Alder\nVera Lund"}
    answer = http.post(address(asked, "/answer"), data=sent)
    assert answer.status_code == 422
    page = text(answer)
    assert "has exactly this name: Ana Alder, Vera Lund" in page
    assert ANSWER in page
    session.expire_all()
    assert asked.is_open


HOW_IT_ENDED = {
    "answered": "You answered it,",
    "answered by another": "Odile Marchand answered it,",
    "withdrawn": "It was taken back,",
    "notice taken back": "It was taken back,",
}


@pytest.mark.parametrize("ended", HOW_IT_ENDED)
def test_once_it_is_over_the_lead_sees_none_of_it(session, http, client, lead, asked, ended):
    if ended == "answered":
        answer(session, asked, lead)
    elif ended == "answered by another":
        answer(
            session, asked, make_user(session, roles=[Role.clinical_lead], name="Odile Marchand")
        )
    elif ended == "withdrawn":
        reviews.withdraw(session, asked, NOW)
    else:
        take_back_notice(session, client)
    session.commit()
    sign_in(http, lead)
    assert http.get(address(asked)).status_code == 404
    late = http.post(address(asked, "/answer"), data={"answer": "My own words."})
    assert late.status_code == 409
    page = BeautifulSoup(late.data, "html.parser").main.get_text()
    assert "My own words." in page
    assert HOW_IT_ENDED[ended] in page
    assert not any(theirs in page for theirs in (WORDS, ANSWER, client.preferred_name, "Panic"))
    assert "Nothing waits" in text(http.get("/reviews"))
    assert asked.answer == (ANSWER if ended.startswith("answered") else "")


def test_what_never_was_is_not_found_and_what_was_typed_is_still_there(
    session, http, client, lead, asked
):
    """So it is for whoever was forgotten while somebody wrote to them."""
    sign_in(http, lead)
    names_alone = http.post(f"/reviews/{uuid.uuid4()}/answer", data={"names": "Rosa Almeida"})
    assert "You would have suggested" in names_alone.text
    assert "Rosa Almeida" in names_alone.text
    never_was = http.post(f"/reviews/{uuid.uuid4()}/answer", data={"answer": ANSWER})
    assert never_was.status_code == 404
    assert "It cannot be answered any more" in never_was.text
    assert ANSWER in never_was.text
    assert http.post(f"/reviews/{uuid.uuid4()}/answer").status_code == 404
    client.user.role_rows.append(UserRole(role=Role.clinical_lead, granted_at=NOW))
    sign_in(http, client.user)
    assert http.post(address(asked, "/answer"), data={"answer": ANSWER}).status_code == 404


def test_a_therapist_who_is_delisted_while_one_writes_is_told_and_nothing_is_lost(
    session, http, lead, asked, monkeypatch
):
    make_therapist(session, name="Ana Alder")
    session.commit()

    def delisted(*_found):
        raise reviews.NotListed

    monkeypatch.setattr(reviews, "_require_listed", delisted)
    sign_in(http, lead)
    answer = http.post(address(asked, "/answer"), data={"answer": ANSWER, "names": "Ana Alder"})
    assert answer.status_code == 422
    assert ANSWER in text(answer)
    assert "Only somebody who is listed" in text(answer)


def test_a_name_is_found_whatever_its_letters_and_named_twice_it_counts_once(
    session, http, lead, asked
):
    therapist = make_therapist(session, name="Élodie Öz")
    session.commit()
    sign_in(http, lead)
    sent = {"answer": ANSWER, "names": "Élodie Öz\nélodie öz"}
    assert http.post(address(asked, "/answer"), data=sent).location == "/reviews"
    session.expire_all()
    assert [one.therapist for one in asked.suggestions] == [therapist]


def test_the_queries_of_the_list_do_not_grow(app, session, http, lead, asked):
    sign_in(http, lead)
    few = queries_of(app, http)
    for _ in range(9):
        reviews.ask(session, make_seeker(session), "", NOW)
    session.commit()
    assert queries_of(app, http) == few


def queries_of(app, http):
    http.get("/reviews")
    with statements_of(app) as seen:
        assert http.get("/reviews").status_code == 200
    # Who is named in the log stands in lines of its own as soon as there are several.
    return len([one for one in seen if "audit_concerns" not in one])


def test_somebody_elses_cannot_be_taken_back(session, http, asked):
    sign_in(http, make_seeker(session).user)
    answer = http.post(f"/matches/reviews/{asked.public_id}/withdrawal")
    assert answer.status_code == 404
    session.expire_all()
    assert asked.is_open
