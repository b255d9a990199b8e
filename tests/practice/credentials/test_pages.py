"""The queue, an application and a licence over HTTP: who sees them, and what they say."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.database import db
from practice.accounts.models import Role
from practice.credentials.models import LicenceCheck, NpiCheck, Reversal
from practice.credentials.operations import propose_reversal
from practice.therapists.models import ApplicationState, LicenceState
from practice.therapists.queries import has_authority
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.credentials import (
    check_licence,
    check_npi,
    make_administrator,
    make_applicant,
)
from tests.builders.therapists import make_licence, make_therapist, valid_npi
from tests.conftest import NOW


def soup_of(answer):
    return BeautifulSoup(answer.data, "html.parser")


def look_again(session):
    """Forget what this test has read: the pages write in transactions of their own."""
    session.rollback()
    session.expire_all()


@pytest.fixture
def admin(session, http):
    admin = make_administrator(session)
    sign_in(http, admin)
    return admin


def waiting_names(http):
    tables = soup_of(http.get("/credentials")).select("table")
    waiting = [table for table in tables if "wait" in table.caption.get_text()]
    return [link.get_text() for table in waiting for link in table.select("th a")]


def test_the_longest_wait_comes_first(http, session, admin):
    for name, days in (("Two Days", 2), ("Nine Days", 9), ("Five Days", 5)):
        applicant = make_applicant(session, name)
        applicant.application.submitted_at = NOW - timedelta(days=days)
    later = make_therapist(session, "Verified Before")
    changed = make_licence(session, later, "US-OR", state=LicenceState.submitted)
    changed.declared_at = NOW - timedelta(days=7)
    session.commit()
    soup = soup_of(http.get("/credentials"))
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
        for row in soup.select_one("table").select("tbody tr")
    ]
    assert [row[0].split(" Psy")[0] for row in rows] == [
        "Nine Days",
        "Verified Before",
        "Five Days",
        "Two Days",
    ]
    assert [row[3] for row in rows] == ["9 days", "7 days", "5 days", "2 days"]
    assert rows[1][1] == "A licence in Oregon"


def test_a_draft_is_nobodys_business_and_ones_own_application_never_waits(http, session, admin):
    draft = make_applicant(session, "Still Writing", state=ApplicationState.draft)
    own = make_applicant(session, "Own Application", user=admin)
    session.commit()
    assert waiting_names(http) == []
    for therapist in (draft, own):
        assert http.get(f"/credentials/{therapist.application.public_id}").status_code == 404
        (licence,) = therapist.licences
        assert http.get(f"/credentials/licences/{licence.public_id}").status_code == 404


def test_the_queue_asks_the_same_few_questions_for_any_number(app, http, session, admin):
    make_applicant(session)
    make_therapist(session)
    session.commit()
    few = queries_of(app, lambda: http.get("/credentials"))
    for number in range(12):
        make_applicant(session, f"Applicant {number}", places=("US-WA", "US-OR"))
        make_therapist(session, f"Therapist {number}")
    session.commit()
    assert queries_of(app, lambda: http.get("/credentials")) == few


def queries_of(app, act):
    seen = []
    with app.app_context():
        engine = db.engine

    def note(connection, cursor, statement, *rest):
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_everyone_else_is_found_by_name(http, session, admin):
    make_therapist(session, "Ada Berg")
    make_therapist(session, "Ben Cole", state=ApplicationState.rejected)
    session.commit()
    text = soup_of(http.get("/credentials?name=ber")).get_text()
    assert "Ada Berg" in text
    assert "Ben Cole" not in text
    assert "Nobody by that name" in soup_of(http.get("/credentials?name=%25")).get_text()


CHECK = {
    "source": "Washington State Department of Health",
    "source_address": "https://board.example.test/look-up",
    "retrieved_on": "2026-12-01",
    "verbatim_status": "Status: ACTIVE",
    "found_expires_on": "2027-11-30",
    "same_person": "",
}
NPI_CHECK = {
    "source": "NPPES NPI Registry",
    "retrieved_on": "2026-11-30",
    "found_taxonomy": "Psychologist",
    "same_person": "",
}


def test_an_application_goes_from_the_queue_to_the_directory(http, session, admin):
    therapist = make_applicant(
        session, state=ApplicationState.submitted, licence_state=LicenceState.submitted
    )
    application, (licence,) = therapist.application, therapist.licences
    session.commit()
    page = f"/credentials/{application.public_id}"
    licence_page = f"/credentials/licences/{licence.public_id}"
    assert waiting_names(http) == ["Rosa Almeida"]
    assert http.post(f"{page}/review").status_code == 303
    look_again(session)
    assert (application.state, licence.state) == ("in_review", "in_review")

    decision = {"to": "verified", "reason": "All of it agrees.", "missing": ""}
    refused = http.post(f"{licence_page}/decision", data=decision)
    assert refused.status_code == 422
    assert "Nothing has been looked up yet." in soup_of(refused).select_one("#to-error").get_text()
    assert soup_of(refused).select_one("#reason").get_text().strip() == "All of it agrees."

    found = {"found_name": "ALMEIDA, ROSA M", "found_number": licence.number.lower()}
    assert http.post(f"{licence_page}/checks", data=CHECK | found).status_code == 303
    assert http.post(f"{licence_page}/decision", data=decision).status_code == 303
    npi = {"found_name": "ROSA ALMEIDA", "npi": therapist.npi}
    assert http.post(f"{page}/npi-check", data=NPI_CHECK | npi).status_code == 303
    assert "Nothing stands against verifying" in soup_of(http.get(page)).get_text()
    assert http.post(f"{page}/decision", data=decision).status_code == 303

    assert waiting_names(http) == []
    look_again(session)
    assert has_authority(therapist.id, "US-WA", NOW)
    assert "Rosa Almeida" in soup_of(http.get("/therapists")).get_text()
    assert session.scalars(sa.select(LicenceCheck.retrieved_at)).one() == NOW
    check = session.scalars(sa.select(NpiCheck)).one()
    assert (check.check_digit_valid, check.npi) == (True, therapist.npi)


def test_differences_are_marked_in_words_and_not_by_colour_alone(http, session, admin):
    therapist = make_applicant(session)
    (licence,) = therapist.licences
    check_licence(session, licence, admin, found_number="ANOTHER 1")
    session.commit()
    table = soup_of(http.get(f"/credentials/licences/{licence.public_id}")).select_one("table")
    rows = {
        row.th.get_text(): [cell.get_text(strip=True) for cell in row.select("td")]
        for row in table.select("tbody tr")
    }
    assert rows["Number"] == [licence.number, "ANOTHER 1", "differs"]
    assert rows["Name"][2] == "same"
    assert rows["Valid until"] == ["30 November 2027", "30 November 2027", "same"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"source": ""}, "source"),
        ({"retrieved_on": "2026-12-02"}, "retrieved_on"),
        ({"verbatim_status": ""}, "verbatim_status"),
        ({"source_address": "javascript:alert(1)"}, "source_address"),
        ({"source_address": "javascript://board.example.test/%0aalert(1)"}, "source_address"),
        ({"found_number": ""}, "found_number"),
        ({"found_expires_on": "soon"}, "found_expires_on"),
    ],
)
def test_evidence_that_says_too_little_is_sent_back_with_everything_typed(
    http, session, admin, wrong, field
):
    (licence,) = make_applicant(session).licences
    session.commit()
    typed = CHECK | {"found_name": "ROSA ALMEIDA", "found_number": licence.number} | wrong
    answer = http.post(f"/credentials/licences/{licence.public_id}/checks", data=typed)
    assert answer.status_code == 422
    soup = soup_of(answer)
    assert soup.select_one(f"#{field}-error")
    assert soup.select_one("#found_name")["value"] == "ROSA ALMEIDA"
    look_again(session)
    assert session.scalars(sa.select(LicenceCheck)).all() == []


@pytest.mark.parametrize("to", ["needs_info", "rejected"])
def test_to_ask_or_reject_needs_words_for_the_therapist(http, session, admin, to):
    therapist = make_applicant(session)
    session.commit()
    address = f"/credentials/{therapist.application.public_id}/decision"
    decision = {"to": to, "reason": "Looked at it.", "missing": ""}
    answer = http.post(address, data=decision)
    assert answer.status_code == 422
    assert soup_of(answer).select_one("#missing-error")
    assert http.post(address, data=decision | {"missing": "Tell us."}).status_code == 303
    look_again(session)
    assert (therapist.application.state, therapist.application.asked) == (to, "Tell us.")


def test_a_decision_that_is_not_open_cannot_be_sent(http, session, admin):
    therapist = make_therapist(session)
    session.commit()
    address = f"/credentials/{therapist.application.public_id}/decision"
    for to in ("verified", "rejected", "in_review", "everything"):
        answer = http.post(address, data={"to": to, "reason": "x", "missing": "x"})
        assert answer.status_code == 422, to
    look_again(session)
    assert therapist.application.state is ApplicationState.verified


def test_a_decision_about_something_changed_meanwhile_is_refused(http, session, admin):
    therapist = make_applicant(session)
    (licence,) = therapist.licences
    check_licence(session, licence, admin)
    licence.state = LicenceState.submitted  # the therapist has just edited it
    session.commit()
    address = f"/credentials/licences/{licence.public_id}/decision"
    answer = http.post(address, data={"to": "verified", "reason": "x", "missing": ""})
    assert answer.status_code == 422
    look_again(session)
    assert licence.state is LicenceState.submitted


def test_to_open_a_rejected_application_again_takes_two_people(http, session, admin):
    therapist = make_therapist(session, state=ApplicationState.rejected)
    other = make_administrator(session, "Second Person")
    session.commit()
    page = f"/credentials/{therapist.application.public_id}"
    decision = {"to": "in_review", "reason": "New papers.", "missing": ""}
    assert http.post(f"{page}/decision", data=decision).status_code == 303
    look_again(session)
    assert therapist.application.state is ApplicationState.rejected
    reversal = session.scalars(sa.select(Reversal)).one()
    assert "waits for somebody other than you" in soup_of(http.get(page)).get_text()
    confirm = f"/credentials/reversals/{reversal.public_id}/confirmation"
    http.post(confirm)
    look_again(session)
    assert therapist.application.state is ApplicationState.rejected

    sign_in(http, other)
    assert waiting_names(http) == ["Rosa Almeida"]
    assert "New papers." in soup_of(http.get(page)).get_text()
    assert http.post(confirm).status_code == 303
    look_again(session)
    assert therapist.application.state is ApplicationState.in_review
    assert "confirmed by Second Person" in soup_of(http.get(page)).get_text()
    assert http.post(confirm).status_code == 404


def test_a_proposal_about_a_licence_that_was_taken_back_waits_for_nobody(http, session, admin):
    (licence,) = make_therapist(session, licence_state=LicenceState.rejected).licences
    propose_reversal(
        session,
        licence,
        "in_review",
        reason="New papers.",
        actor=make_administrator(session, "Second Person"),
        at=NOW,
    )
    session.commit()
    assert waiting_names(http) == ["Rosa Almeida"]
    licence.withdrawn_at = NOW
    session.commit()
    assert waiting_names(http) == []


def test_a_number_that_somebody_else_declares_is_pointed_out(http, session, admin):
    first, second = make_therapist(session, "Ada Berg"), make_applicant(session)
    (licence,) = second.licences
    licence.number = first.licences[0].number
    check_licence(session, licence, admin)
    session.commit()
    page = f"/credentials/licences/{licence.public_id}"
    assert "Somebody else declares this number too" in soup_of(http.get(page)).get_text()
    answer = http.post(f"{page}/decision", data={"to": "verified", "reason": "x", "missing": ""})
    assert answer.status_code == 422
    assert "verified on another profile" in soup_of(answer).get_text()


def test_what_a_therapist_took_back_can_no_longer_be_worked_on(http, session, admin):
    (licence,) = make_applicant(session).licences
    licence.withdrawn_at = NOW
    session.commit()
    page = f"/credentials/licences/{licence.public_id}"
    assert http.get(page).status_code == 404
    assert http.post(f"{page}/checks", data=CHECK).status_code == 404


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.administrator, Role.client}))
def test_only_administrators_work_on_credentials(http, session, role):
    therapist = make_applicant(session)
    (licence,) = therapist.licences
    sign_in(http, make_user(session, roles=(role,)))
    walk(http, therapist.application, licence, 404)
    look_again(session)
    assert (therapist.application.state, licence.state) == ("in_review", "in_review")


def test_a_client_does_not_find_credentials_and_a_visitor_signs_in(http, session):
    therapist = make_applicant(session)
    session.commit()
    walk(http, therapist.application, therapist.licences[0], 303)
    sign_in(http, make_client(session).user)
    walk(http, therapist.application, therapist.licences[0], 404)


def walk(http, application, licence, status):
    page, of_licence = (
        f"/credentials/{application.public_id}",
        f"/credentials/licences/{licence.public_id}",
    )
    for address in ("/credentials", page, of_licence):
        assert http.get(address).status_code == status, address
    decision = {"to": "rejected", "reason": "x", "missing": "x"}
    for address in (
        f"{page}/review",
        f"{page}/npi-check",
        f"{page}/decision",
        f"{of_licence}/checks",
        f"{of_licence}/decision",
    ):
        assert http.post(address, data=decision).status_code == status, address


def test_each_page_has_one_heading_and_a_title(http, session, admin):
    therapist = make_applicant(session)
    check_licence(session, therapist.licences[0], admin)
    check_npi(session, therapist, admin)
    session.commit()
    for address in (
        "/credentials",
        f"/credentials/{therapist.application.public_id}",
        f"/credentials/licences/{therapist.licences[0].public_id}",
    ):
        soup = soup_of(http.get(address))
        assert len(soup.select("h1")) == 1
        assert len(soup.title.get_text()) > len(" · Attune")


def test_a_licence_that_was_not_sent_is_nobodys_business_yet(http, session, admin):
    therapist = make_therapist(session, state=ApplicationState.needs_info)
    draft = make_licence(session, therapist, "US-OR", state=LicenceState.draft)
    session.commit()
    page = http.get(f"/credentials/{therapist.application.public_id}")
    assert draft.number not in page.get_data(as_text=True)
    address = f"/credentials/licences/{draft.public_id}"
    assert http.get(address).status_code == 404
    typed = CHECK | {"found_name": "ROSA ALMEIDA", "found_number": draft.number}
    assert http.post(f"{address}/checks", data=typed).status_code == 404


def test_a_proposal_that_waits_does_not_hold_up_a_suspension(http, session, admin):
    (licence,) = make_therapist(session).licences
    propose_reversal(session, licence, "revoked", reason="x", actor=admin, at=NOW)
    session.commit()
    address = f"/credentials/licences/{licence.public_id}"
    offered = {one["value"] for one in soup_of(http.get(address)).select("input[name=to]")}
    assert offered == {"suspended"}
    decision = {"to": "suspended", "reason": "At once.", "missing": "We heard something."}
    assert http.post(f"{address}/decision", data=decision).status_code == 303
    look_again(session)
    assert licence.state is LicenceState.suspended


def test_a_look_up_counts_for_what_stood_on_the_page_when_it_was_made(http, session, admin):
    therapist = make_applicant(session)
    (licence,) = therapist.licences
    session.commit()
    page = f"/credentials/{therapist.application.public_id}"
    seen = soup_of(http.get(page)).select_one("input[name=npi]")["value"]
    licence_page = f"/credentials/licences/{licence.public_id}"
    stamp = soup_of(http.get(licence_page)).select_one("input[name=declared_at]")["value"]
    therapist.npi, licence.declared_at = valid_npi(99), NOW
    session.commit()
    npi = NPI_CHECK | {"found_name": "ROSA ALMEIDA", "npi": seen}
    assert http.post(f"{page}/npi-check", data=npi).status_code == 303
    look_again(session)
    assert therapist.npi_checked_at is None
    assert "changed after it was looked up" in soup_of(http.get(page)).get_text()
    found = {"found_name": "ROSA ALMEIDA", "found_number": licence.number, "declared_at": stamp}
    late = http.post(f"{licence_page}/checks", data=CHECK | found)
    assert late.status_code == 422
    assert "changed while you looked it up" in soup_of(late).get_text()
    fresh = soup_of(late).select_one("input[name=declared_at]")["value"]
    again = CHECK | found | {"declared_at": fresh}
    assert http.post(f"{licence_page}/checks", data=again).status_code == 303


def test_a_name_with_a_character_that_no_database_keeps_finds_nobody(http, session, admin):
    assert http.get("/credentials?name=%00Zzz").status_code == 200
