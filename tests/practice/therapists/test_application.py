"""From an empty profile to a sent application, over HTTP and without JavaScript."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from core.outbox import OutboxMessage
from practice.accounts.models import Role
from practice.therapists.models import (
    ApplicationState,
    Level,
    Licence,
    LicenceKind,
    LicenceState,
    Therapist,
)
from practice.therapists.queries import has_authority, listable
from practice.therapists.sections import SECTIONS
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.therapists import make_licence, make_therapist, valid_npi
from tests.conftest import NOW

LICENCE = {
    "kind": "state",
    "compact": "",
    "place": "US-WA",
    "profession": "psychologist",
    "number": "PY 60001",
    "board": "Washington State Department of Health",
    "expires_on": "2027-11-30",
}
ANSWERS = {
    "about": {"voice": "Slowly.", "about": "I listen first.", "practising_since": "2012"},
    "people": {"services": ["individual"], "youngest": "18", "oldest": "", "most_acuity": "2"},
    "concerns": {"under_worry": ["panic", "worry"], "under_loss": ["grief"]},
    "skills": {"skill_panic": "3", "skill_worry": "2", "skill_grief": "1"},
    "practice": {
        "approaches": ["cbt"],
        "languages": ["en", "es"],
        "formats": ["online", "in-person"],
        "office": "12 Alder Street",
        "meeting_link": "https://meet.example.test/room",
    },
    "style": {"directive": "2", "intensity": "", "past": "-1", "warm": "0"},
    "identities": {"gender": ["woman"]},
    "fees": {
        "payments": ["self-pay", "medicaid", "sliding"],
        "fee": "120",
        "sliding_from": "60.50",
    },
    "profession": {
        "name": "Rosa Almeida",
        "profession": "psychologist",
        "level": "licensed",
        "npi": valid_npi(7),
    },
}


def soup_of(answer):
    return BeautifulSoup(answer.data, "html.parser")


@pytest.fixture
def therapist(session, http):
    """Somebody verified, signed in."""
    therapist = make_therapist(session)
    sign_in(http, therapist.user)
    return therapist


@pytest.fixture
def beginner(session, http):
    """Somebody who has begun and filled in nothing, signed in."""
    user = make_user(session, roles=(Role.therapist,), name="Rosa Almeida")
    sign_in(http, user)
    answers = {"name": "Rosa Almeida", "profession": "psychologist", "level": "licensed"}
    assert http.post("/apply", data=answers | {"place": "US-WA"}).status_code == 303
    return user


def look_again(session):
    """Forget what this test has read: the pages write in transactions of their own."""
    session.rollback()
    session.expire_all()


def profile(session):
    look_again(session)
    return session.scalars(sa.select(Therapist)).one()


def may_practise(session, therapist, place):
    """What somebody who looks now would see."""
    look_again(session)
    return has_authority(therapist.id, place, NOW)


def test_a_whole_application_is_filled_in_and_sent(http, session, beginner):
    soup = soup_of(http.get("/profile"))
    assert "What is missing" in soup.get_text()
    http.post("/profile/submission")
    assert profile(session).application.state is ApplicationState.draft
    for section, answers in ANSWERS.items():
        answer = http.post(f"/profile/{section}", data=answers)
        assert answer.status_code == 303, section
    assert http.post("/profile/licences/new", data=LICENCE).status_code == 303
    assert "Everything is there" in soup_of(http.get("/profile")).get_text()
    http.post("/profile/submission")

    kept = profile(session)
    assert kept.application.state is ApplicationState.submitted
    assert kept.application.submitted_at == NOW
    assert [one.state for one in kept.licences] == [LicenceState.submitted]
    assert kept.skills == {"panic": 3, "worry": 2, "grief": 1}
    assert kept.style == {"directive": 2, "past": -1, "warm": 0}
    assert kept.identities == {"gender": ["woman"]}
    assert kept.payments == ["self-pay", "medicaid", "sliding", "insurance"]
    assert (kept.fee, kept.sliding_from) == (12000, 6050)
    assert kept.zone == "America/Los_Angeles"
    assert session.scalars(listable(NOW)).all() == []


def test_a_saved_page_shows_what_was_saved(http, session, beginner):
    for section, answers in ANSWERS.items():
        http.post(f"/profile/{section}", data=answers)
    for section, answers in ANSWERS.items():
        soup = soup_of(http.get(f"/profile/{section}"))
        for name, value in answers.items():
            for one in value if isinstance(value, list) else [value]:
                if one not in ("", "18"):
                    assert shown(soup, name, one), (section, name, one)


def shown(soup, name, value):
    for field in soup.select(f"[name={name}]"):
        if field.name == "select":
            return field.select_one("option[selected]")["value"] == value
        if field.name == "textarea":
            return field.get_text().strip() == value
        if field.get("type") in ("checkbox", "radio"):
            if field["value"] == value and field.has_attr("checked"):
                return True
        else:
            return field["value"].removesuffix(".00") == value
    return False


def test_each_section_has_its_own_page_and_one_heading(http, therapist):
    for section in SECTIONS:
        soup = soup_of(http.get(f"/profile/{section.key}"))
        assert [heading.get_text() for heading in soup.select("h1")] == [section.title]
        assert section.title in soup.title.get_text()


def test_a_section_that_does_not_exist_is_not_found(http, therapist):
    assert http.get("/profile/secrets").status_code == 404


@pytest.mark.parametrize(
    ("section", "wrong", "field"),
    [
        ("about", {"about": ""}, "about"),
        ("about", {"practising_since": "2030"}, "practising_since"),
        ("people", {"youngest": "17"}, "youngest"),
        ("people", {"youngest": "40", "oldest": "30"}, "oldest"),
        ("people", {"services": []}, "services"),
        ("practice", {"office": ""}, "office"),
        ("practice", {"meeting_link": ""}, "meeting_link"),
        ("practice", {"meeting_link": "http://plain.example.test"}, "meeting_link"),
        ("practice", {"languages": ["klingon"]}, "languages"),
        ("fees", {"fee": "-1"}, "fee"),
        ("fees", {"sliding_from": ""}, "sliding_from"),
        ("fees", {"sliding_from": "121"}, "sliding_from"),
        ("profession", {"npi": "1234567890"}, "npi"),
        ("profession", {"npi": "12345"}, "npi"),
        ("profession", {"level": "associate", "profession": "psychiatrist"}, "level"),
        ("identities", {"gender": ["dragon"]}, "gender"),
    ],
)
def test_a_mistake_is_explained_beside_its_field_and_nothing_typed_is_lost(
    http, session, beginner, section, wrong, field
):
    answers = ANSWERS[section] | wrong
    answer = http.post(f"/profile/{section}", data=answers)
    assert answer.status_code == 422
    soup = soup_of(answer)
    assert soup.select_one(f"#{field}-error").get_text().strip()
    assert soup.select_one(".error-summary a")["href"] == f"#{field}"
    for name, value in answers.items():
        if isinstance(value, str) and value and soup.select_one(f"input.input[name={name}]"):
            assert soup.select_one(f"[name={name}]")["value"] == value
    assert profile(session).about == ""


def test_an_npi_with_swapped_digits_is_met_with_kind_words(http, beginner):
    swapped = "1234567839"  # 1234567893 is sound
    answer = http.post("/profile/profession", data=ANSWERS["profession"] | {"npi": swapped})
    assert "swapped" in soup_of(answer).get_text()


def test_a_concern_that_was_rated_keeps_its_rating_when_others_are_added(http, session, beginner):
    http.post("/profile/concerns", data={"under_worry": ["panic"]})
    http.post("/profile/skills", data={"skill_panic": "3"})
    http.post("/profile/concerns", data={"under_worry": ["panic", "worry"]})
    assert profile(session).skills == {"panic": 3, "worry": 2}


@pytest.mark.parametrize("column", ["name", "npi", "profession"])
def test_a_new_name_profession_or_npi_asks_for_a_new_look(http, session, therapist, column):
    therapist.npi_checked_at = NOW
    session.commit()
    old = {name: getattr(therapist, name) for name in ("name", "npi", "profession", "level")}
    new = {"name": "Famous Person", "npi": valid_npi(99), "profession": "counsellor"}
    http.post("/profile/profession", data=old)
    assert profile(session).application.state is ApplicationState.verified
    http.post("/profile/profession", data=old | {column: new[column]})
    assert profile(session).application.state is ApplicationState.submitted
    assert not may_practise(session, profile(session), "US-WA")
    assert (profile(session).npi_checked_at is None) is (column != "profession")


def test_a_change_of_words_or_price_does_not(http, session, therapist):
    http.post("/profile/about", data=ANSWERS["about"])
    http.post("/profile/fees", data=ANSWERS["fees"])
    assert profile(session).application.state is ApplicationState.verified


@pytest.mark.parametrize(
    "change",
    [
        {"number": "PY 60002"},
        {"place": "US-OR"},
        {"expires_on": "2028-11-30"},
        {"board": "Another board"},
    ],
)
def test_a_change_to_a_verified_licence_sends_it_back_and_it_stops_counting_at_once(
    http, session, therapist, change
):
    (licence,) = therapist.licences
    same = {name: str(getattr(licence, name)) for name in LICENCE}
    address = f"/profile/licences/{licence.public_id}"
    http.post(address, data=same)
    assert may_practise(session, therapist, "US-WA"), "saving without a change changes nothing"
    http.post(address, data=same | change)
    look_again(session)
    assert licence.state is LicenceState.submitted
    assert (licence.found_source, licence.found_at) == ("", None)
    assert not may_practise(session, therapist, "US-WA")
    assert not may_practise(session, therapist, change.get("place", "US-WA"))


def test_the_end_of_a_licence_is_the_midnight_of_its_own_place(http, session, beginner):
    http.post("/profile/licences/new", data=LICENCE | {"place": "US-HI"})
    (licence,) = profile(session).licences
    assert licence.in_force_until.isoformat() == "2027-12-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"expires_on": "2026-11-30"}, "expires_on"),
        ({"expires_on": ""}, "expires_on"),
        ({"number": ""}, "number"),
        ({"kind": "compact"}, "compact"),
        ({"kind": "compact", "compact": "Counseling Compact"}, "compact"),
        ({"place": "GB-LND"}, "place"),
    ],
)
def test_a_licence_that_cannot_be_is_explained(http, session, beginner, wrong, field):
    answer = http.post("/profile/licences/new", data=LICENCE | wrong)
    assert answer.status_code == 422
    assert soup_of(answer).select_one(f"#{field}-error")
    assert profile(session).licences == []


def test_an_associate_cannot_declare_an_authority_under_a_compact(http, session, beginner):
    http.post("/profile/profession", data=ANSWERS["profession"] | {"level": "associate"})
    wrong = {"kind": "compact", "compact": "PSYPACT"}
    assert http.post("/profile/licences/new", data=LICENCE | wrong).status_code == 422


def test_the_same_licence_twice_is_refused_beside_the_number(http, session, beginner):
    http.post("/profile/licences/new", data=LICENCE)
    answer = http.post("/profile/licences/new", data=LICENCE)
    assert answer.status_code == 422
    assert "on your profile already" in soup_of(answer).select_one("#number-error").get_text()
    assert soup_of(answer).select_one("#board")["value"] == LICENCE["board"]


def test_a_licence_taken_off_counts_no_longer_and_comes_back_only_through_a_new_look(
    http, session, therapist
):
    (licence,) = therapist.licences
    details = {name: str(getattr(licence, name)) for name in LICENCE}
    address = f"/profile/licences/{licence.public_id}/withdrawal"
    assert licence.number in soup_of(http.get(address)).get_text()
    http.post(address)
    assert not may_practise(session, therapist, "US-WA")
    assert http.get(f"/profile/licences/{licence.public_id}").status_code == 404
    http.post("/profile/licences/new", data=details)
    look_again(session)
    (again,) = session.scalars(sa.select(Licence))
    assert (again.id, again.state, again.withdrawn_at) == (licence.id, LicenceState.submitted, None)


@pytest.mark.parametrize("state", [LicenceState.rejected, LicenceState.revoked])
def test_a_refused_licence_cannot_be_washed_clean_by_taking_it_off(http, session, therapist, state):
    (licence,) = therapist.licences
    licence.state = state
    session.commit()
    details = {name: str(getattr(licence, name)) for name in LICENCE}
    assert http.post(f"/profile/licences/{licence.public_id}", data=details).status_code == 422
    http.post(f"/profile/licences/{licence.public_id}/withdrawal")
    assert http.post("/profile/licences/new", data=details).status_code == 422
    look_again(session)
    assert licence.state is state


def test_a_licence_added_later_waits_without_taking_the_others_down(http, session, therapist):
    http.post("/profile/licences/new", data=LICENCE | {"place": "US-OR"})
    assert may_practise(session, therapist, "US-WA")
    assert not may_practise(session, therapist, "US-OR")
    states = {one.place: one.state for one in profile(session).licences}
    assert states == {"US-WA": LicenceState.verified, "US-OR": LicenceState.submitted}


def test_what_was_asked_stands_on_top_until_it_is_answered(http, session, therapist):
    therapist.application.state = ApplicationState.needs_info
    therapist.application.asked = "Please tell us your year."
    therapist.licences[0].state = LicenceState.needs_info
    therapist.licences[0].asked = "The date differs."
    session.commit()
    text = soup_of(http.get("/profile")).get_text()
    assert "Please tell us your year." in text
    assert "The date differs." in text
    http.post("/profile/submission")
    assert profile(session).application.state is ApplicationState.submitted
    assert profile(session).licences[0].state is LicenceState.submitted
    assert "Please tell us your year." not in soup_of(http.get("/profile")).get_text()


def test_a_sent_application_cannot_be_sent_again(http, session, therapist):
    assert http.post("/profile/submission").status_code == 409
    assert profile(session).application.state is ApplicationState.verified


NO_HOURS = dict.fromkeys(
    [f"day_{day}_{end}_{turn}" for day in range(7) for end in ("from", "to") for turn in (0, 1)],
    "",
)


def test_hours_are_saved_joined_and_confirmed(http, session, therapist):
    therapist.hours_confirmed_at = None
    session.commit()
    hours = NO_HOURS | {
        "zone": "America/New_York",
        "day_0_from_0": "09:00",
        "day_0_to_0": "12:00",
        "day_0_from_1": "11:00",
        "day_0_to_1": "14:00",
        "day_6_from_0": "18:00",
        "day_6_to_0": "21:00",
    }
    assert http.post("/profile/hours", data=hours).status_code == 303
    kept = profile(session)
    windows = sorted((one.weekday, one.starts, one.ends) for one in kept.hours)
    assert windows == [(0, time(9), time(14)), (6, time(18), time(21))]
    assert (kept.zone, kept.hours_confirmed_at) == ("America/New_York", NOW)


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ({"day_2_from_0": "18:00", "day_2_to_0": "09:00"}, "day_2_to_0"),
        ({"day_2_from_0": "18:00", "day_2_to_0": "18:00"}, "day_2_to_0"),
        ({"day_2_from_0": "18:00", "day_2_to_0": ""}, "day_2_to_0"),
        ({"day_2_from_0": "", "day_2_to_0": "09:00"}, "day_2_from_0"),
        ({"day_2_from_0": "noon", "day_2_to_0": "19:00"}, "day_2_from_0"),
    ],
)
def test_hours_that_make_no_sense_are_refused(http, session, therapist, hours, field):
    answer = http.post("/profile/hours", data={"zone": "America/New_York"} | hours)
    assert answer.status_code == 422
    assert soup_of(answer).select_one(f"#{field}-error")
    assert len(profile(session).hours) == 5


def test_stale_hours_warn_and_one_click_renews_them(http, session, therapist):
    therapist.hours_confirmed_at = NOW - timedelta(days=15)
    session.commit()
    soup = soup_of(http.get("/profile"))
    assert "Not at the moment" in soup.get_text()
    assert "Please confirm that these hours still hold" in soup.get_text()
    http.post("/profile/hours/confirmation")
    assert "People can find you in Washington" in soup_of(http.get("/profile")).get_text()
    assert len(session.scalars(listable(NOW)).all()) == 1


def test_capacity_is_a_number_of_people(http, session, therapist):
    http.post("/profile/capacity", data={"open_places": "5"})
    assert profile(session).open_places == 5
    for wrong in ("-1", "51", "many", ""):
        answer = http.post("/profile/capacity", data={"open_places": wrong})
        assert answer.status_code == 422, wrong
    assert profile(session).open_places == 5


def test_an_associate_chooses_a_supervisor_who_then_agrees(http, session):
    senior = make_therapist(session, "Senior Person")
    make_therapist(session, "Senior Elsewhere", places=("US-NY",))
    junior = make_therapist(session, "Junior Person", level=Level.associate)
    sign_in(http, junior.user)
    soup = soup_of(http.get("/profile/supervisor"))
    assert [option.get_text() for option in soup.select("option")] == [
        "Nobody yet",
        "Senior Person",
    ]
    http.post("/profile/supervisor", data={"supervisor": str(senior.public_id)})
    assert not may_practise(session, junior, "US-WA")
    mail = session.scalars(sa.select(OutboxMessage)).one().payload
    assert mail["to"] == senior.user.email
    assert "Junior" not in mail["subject"] + mail["body"]

    sign_in(http, senior.user)
    assert "Junior Person" in soup_of(http.get("/profile")).get_text()
    http.post(f"/profile/associates/{junior.public_id}/agreement")
    assert may_practise(session, junior, "US-WA")
    http.post(f"/profile/associates/{junior.public_id}/refusal")
    assert not may_practise(session, junior, "US-WA")
    assert http.post(f"/profile/associates/{junior.public_id}/agreement").status_code == 404


def test_a_supervisor_who_is_not_offered_is_refused(http, session):
    elsewhere = make_therapist(session, "Senior Elsewhere", places=("US-NY",))
    junior = make_therapist(session, "Junior Person", level=Level.associate)
    sign_in(http, junior.user)
    answer = http.post("/profile/supervisor", data={"supervisor": str(elsewhere.public_id)})
    assert answer.status_code == 422
    look_again(session)
    assert junior.supervisor is None


def test_nobody_agrees_for_somebody_else(http, session, therapist):
    senior = make_therapist(session, "Senior Person")
    junior = make_therapist(
        session, "Junior Person", supervisor=senior, supervisor_confirmed_at=None
    )
    session.commit()
    for answer in ("agreement", "refusal"):
        assert http.post(f"/profile/associates/{junior.public_id}/{answer}").status_code == 404
    look_again(session)
    assert (junior.supervisor, junior.supervisor_confirmed_at) == (senior, None)


def test_somebody_elses_licence_is_not_found(http, session, therapist):
    other = make_licence(session, make_therapist(session, "Ada Berg"), "US-OR")
    session.commit()
    address = f"/profile/licences/{other.public_id}"
    assert http.get(address).status_code == 404
    assert http.post(address, data=LICENCE).status_code == 404
    assert http.post(f"{address}/withdrawal").status_code == 404
    look_again(session)
    assert (other.state, other.withdrawn_at) == (LicenceState.verified, None)


PAGES = ("/profile", "/profile/about", "/profile/hours", "/profile/licences", "/profile/supervisor")


def test_a_client_has_no_profile_and_is_told_how_to_apply(http, session):
    client = make_client(session)
    sign_in(http, client.user)
    for address in PAGES:
        assert http.get(address).status_code == 404, address
    assert "another kind" in soup_of(http.get("/apply")).get_text()
    assert http.post("/apply", data={"name": "Sam"}).status_code == 200
    assert session.scalars(sa.select(Therapist)).all() == []


def test_a_visitor_signs_in_first_and_learns_how_to_apply(http):
    for address in PAGES:
        assert http.get(address).headers["Location"].startswith("/sign-in"), address
    soup = soup_of(http.get("/apply"))
    assert soup.find("a", string="Begin")["href"] == "/sign-up?for=therapist"


def test_a_second_application_leads_to_the_first(http, session, beginner):
    assert http.get("/apply").headers["Location"] == "/profile"
    http.post("/apply", data={"name": "Twice", "profession": "counsellor", "place": "US-NY"})
    assert profile(session).name == "Rosa Almeida"


def test_each_act_leaves_who_and_what_but_no_words(http, session, beginner):
    http.post("/profile/about", data=ANSWERS["about"])
    http.post("/profile/licences/new", data=LICENCE)
    entries = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    mine = [entry for entry in entries if entry.subject_kind == "therapist"]
    assert [entry.action for entry in mine] == [
        "application.begun",
        "profile.changed",
        "licence.declared",
    ]
    assert {entry.actor_id for entry in mine} == {beginner.public_id}
    assert not any("listen" in str(entry.details) for entry in mine)


def test_a_compact_row_is_kept_with_its_name(http, session, beginner):
    http.post("/profile/licences/new", data=LICENCE | {"kind": "compact", "compact": "PSYPACT"})
    (licence,) = profile(session).licences
    assert (licence.kind, licence.compact) == (LicenceKind.compact, "PSYPACT")
    assert licence.expires_on == date(2027, 11, 30)
    assert "Washington (PSYPACT)" in soup_of(http.get("/profile/licences")).get_text()


@pytest.mark.parametrize("column", ["name", "profession", "level"])
def test_a_licence_verified_for_somebody_else_does_not_carry_over_to_a_new_name(
    http, session, therapist, column
):
    (licence,) = therapist.licences
    old = {name: getattr(therapist, name) for name in ("name", "npi", "profession", "level")}
    old["profession"] = therapist.profession = "counsellor"
    session.commit()
    new = {"name": "Famous Person", "profession": "psychologist", "level": "associate"}
    http.post("/profile/profession", data=old | {column: new[column]})
    look_again(session)
    assert (licence.state, licence.found_at) == (LicenceState.submitted, None)
    assert licence.declared_at == NOW


def test_a_new_npi_alone_leaves_the_licences_as_they_were(http, session, therapist):
    (licence,) = therapist.licences
    same = {name: getattr(therapist, name) for name in ("name", "profession", "level")}
    http.post("/profile/profession", data=same | {"npi": valid_npi(99)})
    look_again(session)
    assert licence.state is LicenceState.verified


@pytest.mark.parametrize("fee", ["NaN", "sNaN", "-Infinity", "1e400"])
def test_an_amount_that_is_no_number_is_explained(http, session, therapist, fee):
    answer = http.post("/profile/fees", data=ANSWERS["fees"] | {"fee": fee})
    assert answer.status_code == 422
    assert soup_of(answer).select_one("#fee-error")
    answer = http.post("/profile/fees", data=ANSWERS["fees"] | {"sliding_from": fee})
    assert answer.status_code == 422


@pytest.mark.parametrize("day", ["9999-12-31", "2099-01-01"])
def test_a_licence_does_not_run_for_ever(http, session, beginner, day):
    answer = http.post("/profile/licences/new", data=LICENCE | {"expires_on": day})
    assert answer.status_code == 422
    assert soup_of(answer).select_one("#expires_on-error")


def test_hours_without_a_single_window_put_nobody_on_the_list(http, session, therapist):
    nothing = NO_HOURS | {"zone": "America/New_York"}
    said = http.post("/profile/hours", data=nothing, follow_redirects=True)
    assert "you are not shown" in soup_of(said).get_text()
    assert profile(session).hours_confirmed_at is None
    http.post("/profile/hours/confirmation")
    assert profile(session).hours_confirmed_at is None
    assert session.scalars(listable(NOW)).all() == []


def test_nobody_named_is_not_asked_to_confirm(http, session):
    senior = make_therapist(session, "Senior Person")
    junior = make_therapist(session, "Junior Person", supervisor=senior)
    sign_in(http, junior.user)
    said = http.post("/profile/supervisor", data={"supervisor": ""}, follow_redirects=True)
    assert "asked to confirm" not in soup_of(said).select_one(".flash, [role=status]").get_text()


def test_a_character_that_no_database_keeps_is_left_out(http, session, therapist):
    answer = http.post("/profile/about", data=ANSWERS["about"] | {"about": "I\x00 listen."})
    assert answer.status_code == 303
    assert profile(session).about == "I listen."
