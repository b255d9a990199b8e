import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audit import record
from core.mail import KeptMail
from practice.accounts.models import Role
from practice.consent.models import ConsentDocument, Purpose
from practice.consent.policy import has, needs_signing
from practice.intake.models import DutyShift
from practice.oversight.mails import Piece, pieces
from practice.paging import PER_PAGE
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.consent import make_document, make_signature
from tests.conftest import NOW

CANARY = "xylophone-in-the-snow"
NEW = "/oversight/documents/treatment/new"


@pytest.fixture
def admin(session, http):
    admin = make_user(session, roles=[Role.administrator], name="Kay")
    sign_in(http, admin)
    return admin


@pytest.fixture
def clinician(session, admin):
    clinician = make_user(session, roles=[Role.duty_clinician], name="Mireille Aydin")
    session.commit()
    return clinician


def shift_form(clinician, **more):
    return {
        "person": str(clinician.public_id),
        "day": "2026-12-02",
        "starts": "09:00",
        "ends": "17:00",
        "weeks": "2",
    } | more


def test_a_shift_is_put_on_the_rota_and_taken_off(http, session, clinician):
    assert "nobody is on duty" in http.get("/oversight/rota").text
    assert http.post("/oversight/rota", data=shift_form(clinician)).status_code == 303
    page = http.get("/oversight/rota").text
    assert page.count("09:00 – 17:00") == 2
    look_again(session)
    shift = session.scalars(sa.select(DutyShift)).first()
    http.post(f"/oversight/rota/{shift.public_id}/removal")
    assert http.get("/oversight/rota").text.count("09:00 – 17:00") == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"day": "2026-11-01"}, "into the past"),
        ({"weeks": "13"}, "between 1 and 12"),
        ({"day": "soon"}, "Not a valid date"),
        ({"person": "00000000-0000-4000-8000-000000000000"}, "Not a valid choice"),
    ],
)
def test_a_shift_that_cannot_be_is_refused_and_nothing_is_lost(http, clinician, wrong, words):
    answer = http.post("/oversight/rota", data=shift_form(clinician, starts="07:45", **wrong))
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="07:45"' in answer.text


def test_of_shifts_that_repeat_all_are_added_or_none(http, session, clinician):
    http.post("/oversight/rota", data=shift_form(clinician, day="2026-12-09", weeks="1"))
    answer = http.post("/oversight/rota", data=shift_form(clinician, weeks="3"))
    assert answer.status_code == 422
    look_again(session)
    assert session.scalar(sa.select(sa.func.count()).select_from(DutyShift)) == 1


def hidden(page, name):
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page).group(1)


def draft(page, **more):
    kept = {name: hidden(page, name) for name in ("after_version", "previewed")}
    return kept | {"title": "Treatment", "material_change": "y"} | more


def test_a_new_version_is_looked_at_before_it_is_published(http, session, admin):
    make_document(session, body="You agree to this.\n\nFor now.\n")
    session.commit()
    body = "You agree to this.\r\n\r\nUntil you take it back."
    preview = http.post(NEW, data=draft(http.get(NEW).text, body=body))
    assert preview.status_code == 200
    assert "<del>For now.</del>" in preview.text
    assert "<ins>Until you take it back.</ins>" in preview.text
    assert "Removed" in preview.text
    assert documents(session) == 1
    assert http.post(NEW, data=draft(preview.text, body=body)).status_code == 303
    assert documents(session) == 2
    newest = session.scalars(sa.select(ConsentDocument).filter_by(version=2)).one()
    assert newest.body == "You agree to this.\n\nUntil you take it back.\n"
    assert newest.published_by_id == admin.id


def test_what_was_changed_after_the_preview_is_shown_again_first(http, session, admin):
    make_document(session)
    session.commit()
    preview = http.post(NEW, data=draft(http.get(NEW).text, body="Other words."))
    again = http.post(NEW, data=draft(preview.text, body="Other words still."))
    assert "<ins>Other words still.</ins>" in again.text
    assert documents(session) == 1


def test_of_two_authors_the_second_is_told(http, session, admin):
    make_document(session)
    session.commit()
    preview = http.post(NEW, data=draft(http.get(NEW).text, body="Mine."))
    make_document(session, version=2, body="Theirs.\n")
    session.commit()
    answer = http.post(NEW, data=draft(preview.text, body="Mine."))
    assert answer.status_code == 422
    assert "changed since you opened" in answer.text
    assert documents(session) == 2


def test_publishing_asks_those_again_who_have_signed(http, session, admin):
    client = make_client(session)
    make_signature(session, client, Purpose.treatment, scope="therapist:1")
    session.commit()
    preview = http.post(NEW, data=draft(http.get(NEW).text, body="Other words."))
    http.post(NEW, data=draft(preview.text, body="Other words."))
    look_again(session)
    assert needs_signing(Purpose.treatment, client, "therapist:1")
    assert has(Purpose.treatment, client, "therapist:1")


@pytest.mark.parametrize("purpose", ["nonsense", "Treatment"])
def test_a_purpose_that_there_is_not_is_not_found(http, admin, purpose):
    assert http.get(f"/oversight/documents/{purpose}/new").status_code == 404


def documents(session) -> int:
    look_again(session)
    of_treatment = sa.select(sa.func.count()).where(ConsentDocument.purpose == Purpose.treatment)
    return session.scalar(of_treatment)


def add_entry(session, actor, action, kind="intake", role="client", **details):
    record(
        session,
        at=NOW,
        action=action,
        subject_kind=kind,
        subject_id=None,
        actor_id=actor.public_id if actor else None,
        actor_role=role,
        **details,
    )
    session.commit()


def test_the_log_names_colleagues_and_never_clients(http, session, admin, clinician):
    client = make_client(
        session, preferred_name=CANARY, user=make_user(session, f"{CANARY}@x.test")
    )
    add_entry(session, client.user, "intake.submitted", score=CANARY)
    add_entry(session, clinician, "flag.read", kind="flag", words=CANARY)
    page = http.get("/oversight/log").text
    assert "Intake submitted" in page
    assert "A client" in page
    assert "Mireille Aydin" in page
    assert CANARY not in page
    assert str(client.user.public_id) not in page


def test_the_log_is_filtered_by_act_and_by_person(http, session, admin, clinician):
    add_entry(session, clinician, "flag.read", kind="flag")
    add_entry(session, None, "hold.expired", kind="enrolment")
    by_act = http.get("/oversight/log?action=hold.expired").text
    assert "The system" in by_act
    assert by_act.count(">Flag read</td>") == 0
    by_person = http.get(f"/oversight/log?person={clinician.public_id}").text
    assert by_person.count(">Flag read</td>") == 1
    assert by_person.count(">Hold expired</td>") == 0


def test_a_filter_that_means_nothing_shows_what_it_can(http, admin):
    assert http.get("/oversight/log?person=x&page=0").status_code == 200
    assert "Nothing of that kind yet" in http.get("/oversight/log?action=nothing").text


def test_the_log_is_leafed_through_the_newest_first(http, session, admin):
    for n in range(25):
        record(
            session,
            at=NOW + timedelta(minutes=n),
            action=f"act.number_{n:02d}",
            subject_kind="document",
            subject_id=None,
            actor_id=admin.public_id,
        )
    session.commit()
    first, second = (
        re.findall(r">Act number (\d\d)</td>", http.get(f"/oversight/log?page={page}").text)
        for page in (1, 2)
    )
    assert first == [f"{n:02d}" for n in range(24, 4, -1)]
    assert second[:5] == [f"{n:02d}" for n in range(4, -1, -1)]


@pytest.fixture
def demo(app, monkeypatch):
    from dataclasses import replace

    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], demo=True))


def add_mail(session, **columns) -> KeptMail:
    values = {"sent_at": NOW, "to": "sam@example.test", "subject": "Hello", "body": "Hello.\n"}
    mail = KeptMail(**values | columns)
    session.add(mail)
    session.commit()
    return mail


def test_the_demos_mails_are_listed_and_their_links_can_be_followed(http, session, demo):
    mail = add_mail(session, body="Open it:\nhttp://localhost/confirm/abc\n\n<b>Bye</b>")
    assert "Hello" in http.get("/demo/mails").text
    page = http.get(f"/demo/mails/{mail.public_id}").text
    assert '<a href="http://localhost/confirm/abc">' in page
    assert "&lt;b&gt;Bye&lt;/b&gt;" in page


def test_outside_the_demo_there_is_no_post_box(http, session, admin):
    mail = add_mail(session)
    assert http.get("/demo/mails").status_code == 404
    assert http.get(f"/demo/mails/{mail.public_id}").status_code == 404


def test_the_pieces_of_a_mail_are_the_mail():
    body = "One http://a.test/x two https://b.test/y\n"
    assert "".join(piece.text for piece in pieces(body)) == body
    assert [p for p in pieces(body) if p.is_address] == [
        Piece("http://a.test/x", True),
        Piece("https://b.test/y", True),
    ]


@pytest.mark.parametrize("day", ["9999-12-31", "2027-12-31", "2026-11-20", "0001-01-01"])
def test_a_day_far_away_is_refused_beside_its_field(http, clinician, day):
    shift = {"person": str(clinician.public_id), "day": day, "starts": "09:00", "ends": "08:00"}
    answer = http.post("/oversight/rota", data=shift | {"weeks": "2"})
    assert answer.status_code == 422
    assert "nor a year ahead" in answer.text


@pytest.mark.parametrize("started_from", ["first", "", "-1", "9" * 30])
def test_a_version_that_never_was_is_no_start(http, session, admin, started_from):
    make_document(session)
    session.commit()
    data = {"title": "Treatment", "body": "Other words.", "after_version": started_from}
    seen = hidden(http.post(NEW, data=data).text, "previewed")
    answer = http.post(NEW, data=data | {"previewed": seen})
    assert answer.status_code == 422
    assert "has changed since" in answer.text


@pytest.mark.parametrize("list_", ["/oversight/staff", "/oversight/log", "/groups"])
def test_a_page_behind_every_end_is_an_empty_page(http, admin, list_):
    assert http.get(f"{list_}?page={10**30}").status_code == 200


def test_links_to_other_pages_carry_the_filters_and_nothing_else(http, session, admin):
    for _ in range(PER_PAGE):
        make_user(session, roles=[Role.therapist])
    session.commit()
    page = http.get("/oversight/staff?role=therapist&endpoint=x&_scheme=ftp&_external=1&page=0")
    assert page.status_code == 200
    assert "ftp:" not in page.text


@pytest.mark.parametrize("signed", [0, 1, 2])
def test_the_preview_says_how_many_are_asked_again_and_names_nobody(http, session, admin, signed):
    make_document(session)
    people = [make_client(session, preferred_name=CANARY) for _ in range(signed)]
    for person in people:
        make_signature(session, person, scope="therapist:1")
    session.commit()
    preview = http.post(NEW, data=draft(http.get(NEW).text, body="Other words.")).text
    words = {0: "0 people have", 1: "1 person has", 2: "2 people have"}[signed]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", preview))
    assert f"{words} agreed to an earlier version" in text
    assert CANARY not in preview
    assert not any(person.user.email in preview for person in people)


def test_the_preview_of_a_small_change_says_that_nobody_is_asked(http, session, admin):
    make_signature(session, make_client(session))
    session.commit()
    form = draft(http.get(NEW).text, body="Other words.")
    form.pop("material_change")
    assert "Nobody is asked again" in http.post(NEW, data=form).text
