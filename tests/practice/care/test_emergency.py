"""Opening a record in an emergency: both doors, sixty minutes, and the client is told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from core.errors import NotAllowed, WrongState
from core.outbox import OutboxMessage
from practice import one_by_one
from practice.accounts.models import Role
from practice.accounts.two_people import SecondPersonNeeded
from practice.care import queries
from practice.care.emergency import operations as emergencies
from practice.care.emergency import sweeps as emergency_sweeps
from practice.care.emergency.models import EmergencyOpening, OpeningReason, Stage
from practice.care.emergency.operations import (
    AlreadyDecided,
    NobodyFound,
    NotTheirsToDelay,
    TooManyMisses,
    YourOwnRecord,
)
from practice.care.emergency.sweeps import remind_of_reviews, tell_clients
from practice.paging import PER_PAGE
from practice.privacy import operations as erasing
from practice.therapists.models import ApplicationState
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.care import make_episode
from tests.builders.intake import STORY
from tests.builders.therapists import make_therapist
from tests.conftest import NOW
from tests.practice.care.pages import actions, text

WORDS = "Their therapist has been in hospital since Monday and they have called twice."
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def episode(session):
    return make_episode(session)


@pytest.fixture
def client(episode):
    return episode.client


def staff(session, name, *roles):
    return make_user(session, name=name, roles=roles)


@pytest.fixture
def ines(session):
    return staff(session, "Ines Ward", Role.administrator)


@pytest.fixture
def clara(session):
    return staff(session, "Clara Whitfield", Role.clinical_lead)


@pytest.fixture
def noor(session):
    return staff(session, "Noor Haddad", Role.duty_clinician)


def ask(session, client, actor, at=NOW, text=None):
    reason = OpeningReason.therapist_away
    who = text or client.user.email
    return emergencies.ask(session, who, reason, WORDS, actor, at)


def decide(session, opening, actor, at=NOW, *, approved=True, words=""):
    emergencies.decide(session, opening, approved=approved, words=words, actor=actor, at=at)


def in_danger(session, client, actor, at=NOW):
    return emergencies.open_in_danger(session, client.user.email, WORDS, actor, at)


def review(session, opening, actor, at=NOW, *, justified=True):
    emergencies.review(session, opening, justified=justified, words=WORDS, actor=actor, at=at)


def delay(session, opening, actor, until, at=NOW):
    emergencies.delay_notice(session, opening, until=until, words=WORDS, actor=actor, at=at)


def record_of(opening):
    return f"/emergency/{opening.public_id}/record"


def mails_about(session, occasion):
    kept = sa.select(OutboxMessage.dedupe_key).where(
        OutboxMessage.dedupe_key.contains(f"emergency {occasion}:")
    )
    return session.scalars(kept).all()


# The ordinary door.


def test_nothing_opens_before_a_second_person_says_yes(session, http, client, ines, clara):
    opening = ask(session, client, ines)
    sign_in(http, ines)
    assert http.get(record_of(opening)).status_code == 404
    look_again(session)
    decide(session, opening, clara)
    session.commit()
    page = text(http.get(record_of(opening)))
    for shown in (STORY, client.user.email, "PHQ-9", "Care with"):
        assert shown in page


def test_the_asker_cannot_be_the_second_person(session, http, client, ines):
    opening = ask(session, client, ines)
    with pytest.raises(NotAllowed):
        decide(session, opening, ines)
    sign_in(http, ines)
    answer = http.post(f"/emergency/{opening.public_id}/decision", data={"answer": "yes"})
    assert answer.status_code == 404
    look_again(session)
    assert session.get(EmergencyOpening, opening.id).opened_at is None


def test_neither_can_the_client_nor_somebody_without_the_role(session, client, ines, noor):
    opening = ask(session, client, ines)
    client.user = staff(session, "Both", Role.administrator, Role.client)
    session.flush()
    for nobody in (noor, client.user):
        with pytest.raises(NotAllowed):
            decide(session, opening, nobody)


def give_alone(person, by):
    """These roles were given a moment ago, by one administrator."""
    for row in person.role_rows:
        row.granted_at, row.granted_by_id = NOW, by.id


def test_whom_one_administrator_made_alone_does_not_decide_for_them(
    session, http, client, ines, clara
):
    give_alone(clara, by=ines)
    opening = ask(session, client, ines)
    with pytest.raises(SecondPersonNeeded):
        decide(session, opening, clara)
    assert opening.opened_at is None
    sign_in(http, clara)
    page = http.get(f"/emergency/{opening.public_id}").text
    assert "count as one person" in page
    assert "Give my answer" not in page
    decide(session, opening, staff(session, "Bea", Role.administrator))
    assert opening.opened_at == NOW


def test_nor_does_an_administrator_decide_what_a_mailbox_of_their_own_asks_for(
    session, client, ines, noor
):
    give_alone(noor, by=ines)
    with pytest.raises(SecondPersonNeeded):
        decide(session, ask(session, client, noor), ines)


@pytest.mark.parametrize("state", [one for one in ApplicationState if one.value != "verified"])
def test_who_signed_up_as_a_therapist_and_is_not_verified_finds_no_door(
    session, http, client, state
):
    """Anybody may sign up as one, and would learn here who is a client."""
    stranger = make_therapist(session, state=state).user
    session.commit()
    sign_in(http, stranger)
    assert http.get("/emergency").status_code == 404
    data = {"who": client.user.email, "reason": OpeningReason.therapist_away, "words": WORDS}
    assert http.post("/emergency/request", data=data).status_code == 404
    with pytest.raises(NotAllowed):
        ask(session, client, stranger)


def test_a_therapist_who_is_suspended_within_the_hour_reads_no_longer(session, http, client, clara):
    therapist = make_therapist(session)
    opening = ask(session, client, therapist.user)
    decide(session, opening, clara)
    session.commit()
    sign_in(http, therapist.user)
    assert http.get(record_of(opening)).status_code == 200
    assert "Ask to open it" in http.get("/caseload").text
    look_again(session)
    therapist.application.state = ApplicationState.suspended
    session.commit()
    assert http.get(record_of(opening)).status_code == 404
    assert "Ask to open it" not in http.get("/caseload").text


def test_a_lead_and_a_clinician_of_one_hand_do_not_review_each_other_nor_put_the_notice_off(
    session, http, client, ines, noor, clara
):
    for person in (noor, clara):
        give_alone(person, by=ines)
    opening = in_danger(session, client, noor)
    with pytest.raises(SecondPersonNeeded):
        review(session, opening, clara)
    with pytest.raises(SecondPersonNeeded):
        delay(session, opening, clara, NOW + timedelta(days=20))
    sign_in(http, clara)
    page = http.get(f"/emergency/{opening.public_id}").text
    assert "count as one person" in page
    assert "Keep my review" not in page
    assert "Tell them later" not in page


def test_it_ends_by_itself_after_sixty_minutes_by_the_clock(
    session, http, clock, client, ines, clara
):
    opening = ask(session, client, ines)
    decide(session, opening, clara)
    sign_in(http, ines)
    for minutes, status in ((20, 200), (40, 200), (59, 200), (60, 404), (61, 404)):
        clock.move_to(NOW + minutes * MINUTE)
        assert http.get(record_of(opening)).status_code == status, minutes
    assert opening.stage(NOW + 60 * MINUTE) is Stage.over


def test_it_is_the_askers_alone(session, http, client, ines, clara):
    opening = ask(session, client, ines)
    decide(session, opening, clara)
    for other in (clara, staff(session, "Omar", Role.administrator), client.user):
        sign_in(http, other)
        assert http.get(record_of(opening)).status_code == 404


def test_it_closes_early_and_stays_closed(session, http, client, ines, clara):
    opening = ask(session, client, ines)
    decide(session, opening, clara)
    sign_in(http, ines)
    assert http.post(f"/emergency/{opening.public_id}/end").status_code == 303
    assert http.get(record_of(opening)).status_code == 404
    look_again(session)
    with pytest.raises(WrongState):
        emergencies.end_early(session, opening, ines, NOW)


def test_whoever_loses_their_role_reads_no_more(session, http, client, ines, clara):
    opening = ask(session, client, ines)
    decide(session, opening, clara)
    ines.role_rows[0].role = Role.moderator
    sign_in(http, ines)
    assert http.get(record_of(opening)).status_code == 404


def test_a_request_expires_after_a_day(session, http, clock, client, ines, clara):
    opening = ask(session, client, ines)
    with pytest.raises(AlreadyDecided):
        decide(session, opening, clara, NOW + DAY)
    assert opening.stage(NOW + DAY - MINUTE) is Stage.waiting
    assert opening.stage(NOW + DAY) is Stage.expired
    assert queries.emergencies(clara, NOW + DAY).to_decide == []


def test_what_was_refused_stays_refused(session, client, ines, clara):
    opening = ask(session, client, ines)
    decide(session, opening, clara, approved=False, words="Their therapist is back.")
    with pytest.raises(AlreadyDecided):
        decide(session, opening, clara)
    assert opening.stage(NOW) is Stage.refused
    assert mails_about(session, "told") == []


@pytest.mark.parametrize("is_refused", [True, False])
def test_who_read_a_request_that_came_to_nothing_shows_once_it_has(
    session, http, clock, client, ines, clara, is_refused
):
    opening = ask(session, client, ines)
    sign_in(http, clara)
    http.get(f"/emergency/{opening.public_id}")
    look_again(session)
    assert queries.openings_of(client) == []
    if is_refused:
        decide(session, opening, clara, approved=False, words="Their therapist is back.")
    else:
        clock.move_to(NOW + DAY)
    (shown,) = queries.openings_of(client)
    assert shown.what_label == "Why somebody asked to open your record"
    assert shown.who_label == "Clara Whitfield"


def test_asking_twice_is_one_request(session, client, ines):
    first = ask(session, client, ines)
    assert ask(session, client, ines) is first
    assert ask(session, client, ines, NOW + DAY) is not first


def test_the_client_is_told_at_once_who_why_and_when(session, http, client, ines, clara):
    opening = ask(session, client, ines)
    decide(session, opening, clara)
    assert len(mails_about(session, "told")) == 1
    sign_in(http, client.user)
    page = text(http.get("/today"))
    assert "Your record was opened in an emergency" in page
    assert "Ines Ward, administrator" in page
    assert "their therapist cannot be reached" in page
    assert WORDS not in page


def test_each_view_is_one_row_that_the_client_can_read(session, http, client, ines, clara):
    opening = ask(session, client, ines)
    decide(session, opening, clara)
    sign_in(http, ines)
    http.get(record_of(opening))
    http.get(record_of(opening))
    look_again(session)
    assert actions(session, action="emergency.viewed") == ["emergency.viewed"] * 2
    seen = [
        one for one in queries.openings_of(client) if "opened in an emergency" in one.what_label
    ]
    assert {(one.who_label, one.role_label, one.reason_label) for one in seen} == {
        ("Ines Ward", "Administrator", "Their therapist cannot be reached")
    }


def test_the_page_of_a_request_does_not_say_who_the_client_is(session, http, client, ines, clara):
    opening = ask(session, client, ines)
    session.commit()
    for person in (ines, clara):
        look_again(session)
        sign_in(http, person)
        for page in ("/emergency", f"/emergency/{opening.public_id}"):
            answer = http.get(page)
            assert answer.status_code == 200
            assert client.user.email not in text(answer)
            assert client.called not in text(answer)


def test_searches_that_find_nobody_are_counted_and_end(session, http, client, ines):
    sign_in(http, ines)
    data = {"who": "nobody@example.test", "reason": "law", "words": WORDS, "understood": "y"}
    for _ in range(5):
        assert "Nobody is found" in text(http.post("/emergency/request", data=data))
    found = http.post("/emergency/request", data=data | {"who": client.user.email})
    assert "Too many searches" in text(found)
    look_again(session)
    with pytest.raises(TooManyMisses):
        ask(session, client, ines)
    assert ask(session, client, ines, NOW + DAY + MINUTE)


def test_one_does_not_open_ones_own_record(session, ines, noor):
    own = make_client(session, user=noor)
    with pytest.raises(YourOwnRecord):
        in_danger(session, own, noor)
    with pytest.raises(NobodyFound):
        ask(session, own, ines, text=str(ines.public_id))


@pytest.mark.parametrize("field", ["who", "reason", "words", "understood"])
def test_the_form_needs_everything_and_keeps_what_was_typed(session, http, ines, client, field):
    sign_in(http, ines)
    whole = {"who": client.user.email, "reason": "law", "words": WORDS, "understood": "y"}
    given = whole | {field: "short" if field == "words" else ""}
    answer = http.post("/emergency/request", data=given)
    assert answer.status_code == 422
    assert given["words"] in answer.text
    look_again(session)
    assert session.scalars(sa.select(EmergencyOpening)).all() == []


# The door for danger.


def test_a_duty_clinician_opens_at_once(session, http, client, noor):
    sign_in(http, noor)
    data = {"who": client.user.email, "words": WORDS, "understood": "y"}
    answer = http.post("/emergency/danger", data=data, follow_redirects=True)
    assert answer.status_code == 200
    assert STORY in text(answer)
    assert "60 minutes are left" in text(answer)


def test_nobody_else_opens_at_once(session, http, client, ines, clara):
    for other in (ines, clara, make_therapist(session).user):
        sign_in(http, other)
        assert http.get("/emergency/danger").status_code == 404
        look_again(session)
        with pytest.raises(NotAllowed):
            in_danger(session, client, other)


def test_danger_too_ends_after_sixty_minutes(session, http, clock, client, noor):
    opening = in_danger(session, client, noor)
    sign_in(http, noor)
    for minutes, status in ((20, 200), (40, 200), (59, 200), (60, 404)):
        clock.move_to(NOW + minutes * MINUTE)
        assert http.get(record_of(opening)).status_code == status, minutes


def test_the_lead_reviews_and_the_client_is_told_with_it(session, client, noor, clara):
    opening = in_danger(session, client, noor)
    assert len(mails_about(session, "opened")) == 1
    assert opening.told_at is None
    review(session, opening, clara, NOW + HOUR, justified=False)
    assert opening.told_at == NOW + HOUR
    assert len(mails_about(session, "told")) == 1
    with pytest.raises(AlreadyDecided):
        review(session, opening, clara)


def test_whoever_opened_it_does_not_review_it(session, client):
    both = staff(session, "Both", Role.duty_clinician, Role.clinical_lead)
    opening = in_danger(session, client, both)
    with pytest.raises(NotAllowed):
        review(session, opening, both)
    with pytest.raises(NotAllowed):
        delay(session, opening, both, NOW + DAY)
    assert queries.emergencies(both, NOW).to_review == []


def test_an_overdue_review_stands_out_and_is_mailed(session, http, clock, client, noor, clara):
    in_danger(session, client, noor)
    session.commit()
    remind_of_reviews(NOW + 17 * HOUR)
    assert mails_about(session, "reminder") == []
    remind_of_reviews(NOW + 19 * HOUR)
    remind_of_reviews(NOW + 20 * HOUR)
    assert len(mails_about(session, "reminder")) == 1
    remind_of_reviews(NOW + 25 * HOUR)
    assert len(mails_about(session, "overdue")) == 1
    clock.move_to(NOW + 25 * HOUR)
    look_again(session)
    sign_in(http, clara)
    for page in ("/today", "/emergency"):
        assert "A review is overdue" in text(http.get(page))


def test_without_a_review_the_client_is_told_after_a_day(session, client, noor):
    opening = in_danger(session, client, noor)
    session.commit()
    tell_clients(NOW + DAY - MINUTE)
    look_again(session)
    assert opening.told_at is None
    for _ in range(2):
        tell_clients(NOW + DAY)
    look_again(session)
    assert opening.told_at == NOW + DAY
    assert len(mails_about(session, "told")) == 1


def test_one_notice_that_fails_holds_up_nobody_behind_it(session, monkeypatch, noor):
    poisoned, well = make_client(session), make_client(session)
    first, second = in_danger(session, poisoned, noor), in_danger(session, well, noor, NOW + MINUTE)
    session.commit()

    def tell(session, opening, at):
        if opening.id == first_id:
            opening.told_at = at
            session.flush()
            raise ValueError(WORDS)
        emergencies.tell(session, opening, at)

    first_id = first.id
    lines = []
    monkeypatch.setattr(one_by_one, "log", lambda event, **fields: lines.append((event, fields)))
    monkeypatch.setattr(emergency_sweeps, "tell", tell)
    tell_clients(NOW + 2 * DAY)
    look_again(session)
    assert (first.told_at, second.told_at) == (None, NOW + 2 * DAY)
    assert [(event, fields["error"]) for event, fields in lines] == [("sweep.failed", ValueError)]
    assert WORDS not in str(lines)


def test_a_delayed_notice_is_hidden_until_its_day_and_then_sent(
    session, http, clock, client, noor, clara
):
    opening = in_danger(session, client, noor)
    sign_in(http, noor)
    http.get(record_of(opening))
    look_again(session)
    delay(session, opening, clara, NOW + 10 * DAY)
    review(session, opening, clara)
    session.commit()
    tell_clients(NOW + 9 * DAY)
    assert_client_knows(session, http, client, knows=False)
    clock.move_to(NOW + 10 * DAY)
    tell_clients(NOW + 10 * DAY)
    assert_client_knows(session, http, client, knows=True)
    assert len(mails_about(session, "told")) == 1


def assert_client_knows(session, http, client, *, knows):
    look_again(session)
    labels = {one.what_label for one in queries.openings_of(client)}
    assert ("Your record, opened in an emergency" in labels) is knows
    assert ("Why somebody asked to open your record" in labels) is False
    sign_in(http, client.user)
    assert ("opened in an emergency" in text(http.get("/today"))) is knows
    assert ("opened in an emergency" in text(http.get("/your-data/openings"))) is knows


def test_who_erases_themselves_is_told_with_the_goodbye(session, http, clock, client, noor):
    in_danger(session, client, noor)
    reference = erase_themselves(session, client)
    assert "still have to tell you" in goodbye(session)
    assert "emergency" not in goodbye(session)
    assert "duty clinician. Why: Somebody’s life may be in danger" in text(http.get(reference))
    clock.move_to(NOW + 30 * DAY)
    assert "emergency" not in text(http.get(reference))


def test_a_delayed_notice_is_not_told_with_the_goodbye_nor_ever(session, http, client, noor, clara):
    opening = in_danger(session, client, noor)
    delay(session, opening, clara, NOW + 10 * DAY)
    reference = erase_themselves(session, client)
    tell_clients(NOW + 10 * DAY)
    look_again(session)
    review(session, opening, clara, NOW + 10 * DAY)
    assert opening.told_at is None
    assert audited(session, "emergency.told") == []
    assert "still have to tell you" not in goodbye(session)
    assert "emergency" not in text(http.get(reference))


def erase_themselves(session, client):
    """Erase this client now; the address of the page that says so."""
    request = erasing.erase(session, client, client.user, NOW)
    session.commit()
    look_again(session)
    return f"/erasures/{request.public_id}"


def goodbye(session):
    mails = session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.dedupe_key.contains("erasure done:"))
    )
    return "".join(str(one.payload) for one in mails)


def audited(session, action):
    return session.scalars(sa.select(AuditEntry).where(AuditEntry.action == action)).all()


@pytest.mark.parametrize("until", [NOW, NOW - DAY, NOW + 30 * DAY + MINUTE])
def test_a_notice_waits_thirty_days_at_most(session, client, noor, clara, until):
    opening = in_danger(session, client, noor)
    with pytest.raises(NotTheirsToDelay):
        delay(session, opening, clara, until)
    delay(session, opening, clara, NOW + 30 * DAY)
    assert opening.notice_due_at == NOW + 30 * DAY


def test_what_was_told_cannot_be_delayed(session, client, noor, clara):
    opening = in_danger(session, client, noor)
    review(session, opening, clara)
    with pytest.raises(WrongState):
        delay(session, opening, clara, NOW + DAY)


def test_the_reasons_are_sealed(session, client, noor, clara):
    opening = in_danger(session, client, noor)
    review(session, opening, clara)
    sealed = session.scalars(sa.select(EmergencyOpening.words_sealed)).all()
    assert WORDS.encode() not in b"".join(sealed)
    assert opening.words == WORDS


def test_what_waits_for_a_word_is_whole_and_the_rest_comes_in_pages(
    session, http, client, ines, clara, noor
):
    many = PER_PAGE + 2
    for nth in range(many):
        in_danger(session, client, noor, NOW - timedelta(hours=many - nth) * 2)
    waiting = queries.emergencies(clara, NOW).to_review
    assert len(waiting) == many
    assert waiting[0].asked_at < waiting[-1].asked_at
    session.commit()
    sign_in(http, clara)
    page = text(http.get("/emergency"))
    assert page.count("to be reviewed") + page.count("review is overdue") == many
    look_again(session)
    for opening in queries.emergencies(clara, NOW).to_review:
        review(session, opening, clara)
    newest, older = (queries.emergencies(clara, NOW, reviewed=page).reviewed for page in (1, 2))
    assert (len(newest.rows), len(older.rows), older.pages) == (PER_PAGE, 2, 2)
    assert newest.rows[0].asked_at > newest.rows[-1].asked_at > older.rows[0].asked_at
    session.commit()
    page = BeautifulSoup(http.get("/emergency?reviewed=2&mine=7").data, "html.parser")
    [turns] = page.select("nav.pages")
    assert turns["aria-label"] == "Pages of what was reviewed"
    back = turns.select_one("a")["href"]
    assert "reviewed=1" in back
    assert back.endswith("#reviewed")
    [first] = page.select(".empty a")
    assert first["href"].endswith("#mine"), "page 7 of what she asked for does not leave her there"
    assert "mine=1" in first["href"]
    assert "reviewed=2" in first["href"]
    sign_in(http, noor)
    mine = BeautifulSoup(http.get("/emergency").data, "html.parser")
    assert "Page 1 of 2" in mine.select_one("nav.pages").get_text()
    assert "Page 2 of 2" in text(http.get("/emergency?mine=2"))
