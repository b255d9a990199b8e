import uuid
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from core.outbox import OutboxMessage
from practice.accounts.models import Role
from practice.groups.models import EnrolmentState, Group, GroupKind, GroupState, LeadKind
from practice.therapists.models import ApplicationState, LicenceState
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.groups import make_enrolment, make_group
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

DETAILS = {
    "title": "Sleep again",
    "summary": "Six evenings on sleep.",
    "about": "",
    "where": "",
    "kind": "psychoeducation",
    "topics": ["sleep"],
    "language": "en",
    "format": "online",
    "seats": "12",
    "price": "150.50",
    "refund_template": "by_session",
    "first_day": "2027-03-03",
    "at": "18:30",
    "zone": "America/Los_Angeles",
    "minutes": "60",
    "sessions": "6",
    "leads_it": "y",
    "co_lead": "",
    "peers": "",
}


@pytest.fixture
def leader(session, http):
    leader = make_therapist(session)
    sign_in(http, leader.user)
    return leader


def words(answer) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").main.get_text(" ").split())


def the_group(session) -> Group:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Group)).one()


def led(group) -> str:
    return f"/led-groups/{group.public_id}"


def asking(session, group, **columns):
    client = make_client(session, preferred_name="Zebulon")
    columns = {"handle": "River", "why": "I am tired of being alone with it."} | columns
    enrolment = make_enrolment(session, group, client, EnrolmentState.screening, **columns)
    session.commit()
    return enrolment


def answer_to(http, enrolment, answer="invite", reason="Fits well."):
    prefix = f"{enrolment.public_id.hex[:8]}-"
    form = {f"{prefix}answer": answer, f"{prefix}reason": reason}
    return http.post(f"{led(enrolment.group)}/screenings/{enrolment.public_id}", data=form)


def test_a_group_begins_as_a_draft_with_its_sessions_on_the_wall_clock(session, http, leader):
    assert http.post("/led-groups/new", data=DETAILS).status_code == 303
    group = the_group(session)
    assert (group.state, group.price, group.seats) == (GroupState.draft, 15050, 12)
    assert [lead.therapist_id for lead in group.leads] == [leader.id]
    assert len(group.sessions) == 6
    # Clocks go forward on 14 March 2027: the wall time stays, the instant moves.
    gap = group.sessions[2].starts_at - group.sessions[1].starts_at
    assert gap == timedelta(days=7, hours=-1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("topics", []),
        ("seats", "1"),
        ("price", "-1"),
        ("price", "0.40"),
        ("price", "many"),
        ("first_day", "2026-11-30"),
        ("at", "half past six"),
        ("sessions", "0"),
        ("kind", "secret"),
        ("leads_it", None),
        ("refund_template", "never"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(
    session, http, leader, field, value
):
    details = DETAILS | {field: value}
    details = {name: given for name, given in details.items() if given is not None}
    answer = http.post("/led-groups/new", data=details)
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.select_one(".error-summary a")
    assert DETAILS["summary"] in page.select_one("#summary").text
    assert session.scalar(sa.select(sa.func.count()).select_from(Group)) == 0


def test_co_leads_and_peer_leaders_are_named(session, http, leader):
    colleague = make_therapist(session, "Ines Duarte")
    session.commit()
    details = DETAILS | {"co_lead": str(colleague.public_id), "peers": "Ana\n\nBo\n"}
    http.post("/led-groups/new", data=details)
    leads = the_group(session).leads
    assert [(lead.kind, lead.name) for lead in leads] == [
        (LeadKind.professional, leader.name),
        (LeadKind.professional, "Ines Duarte"),
        (LeadKind.lived_experience, "Ana"),
        (LeadKind.lived_experience, "Bo"),
    ]


def test_somebody_who_is_not_verified_cannot_be_named_as_a_co_lead(session, http, leader):
    stranger = make_therapist(session, "No One", state=ApplicationState.submitted)
    session.commit()
    details = DETAILS | {"co_lead": str(stranger.public_id)}
    assert http.post("/led-groups/new", data=details).status_code == 422


def test_a_draft_is_opened_by_a_licensed_leader_only(session, http):
    lapsed = make_therapist(session, state=ApplicationState.submitted)
    draft = make_group(session, lead=lapsed, state=GroupState.draft)
    sign_in(http, lapsed.user)
    answer = http.post(f"{led(draft)}/publication", follow_redirects=True)
    assert "needs a leader whose licence is verified" in words(answer)
    assert the_group(session).state is GroupState.draft


def test_an_opened_group_stands_in_the_catalogue(session, http, leader):
    draft = make_group(session, lead=leader, state=GroupState.draft)
    session.commit()
    http.post(f"{led(draft)}/publication")
    assert the_group(session).state is GroupState.open
    assert draft.title in http.get("/groups").text


def test_a_draft_whose_first_session_has_passed_is_not_opened(session, http, leader):
    draft = make_group(session, lead=leader, state=GroupState.draft, days=-2)
    session.commit()
    answer = http.post(f"{led(draft)}/publication", follow_redirects=True)
    assert "lies in the past" in words(answer)


def test_terms_can_change_until_somebody_has_asked(session, http, leader):
    group = make_group(session, lead=leader, kind=GroupKind.psychoeducation)
    session.commit()
    http.post(f"{led(group)}/details", data=DETAILS)
    group = the_group(session)
    assert (group.title, group.price, len(group.sessions)) == ("Sleep again", 15050, 6)
    asking(session, group)
    http.post(f"{led(group)}/details", data=DETAILS | {"title": "Sleep", "price": "1"})
    group = the_group(session)
    assert (group.title, group.price) == ("Sleep", 15050)


def test_the_form_shows_a_group_as_it_is(session, http, leader):
    http.post("/led-groups/new", data=DETAILS)
    page = BeautifulSoup(http.get(f"{led(the_group(session))}/details").text, "html.parser")
    shown = {
        name: page.select_one(f"input[name={name}]")["value"]
        for name in ("title", "seats", "first_day", "at", "minutes", "sessions")
    }
    assert shown == {name: DETAILS[name] for name in shown}
    assert page.select_one("input[name=price]")["value"] in {"150.5", "150.50"}


@pytest.mark.parametrize("path", ["", "/details", "/cancellation"])
def test_another_therapists_group_is_not_there(session, http, leader, path):
    other = make_group(session)
    session.commit()
    assert http.get(led(other) + path).status_code == 404
    for action in ("/publication", "/cancellation", "/details", f"/screenings/{uuid.uuid4()}"):
        form = {f"{'0' * 8}-answer": "invite"}
        assert http.post(led(other) + action, data=DETAILS | form).status_code in {404, 422}
    assert the_group(session).state is GroupState.open


@pytest.mark.parametrize("role", [Role.client, Role.administrator, Role.duty_clinician])
def test_pages_of_leaders_do_not_exist_for_others(session, http, role):
    group = make_group(session)
    sign_in(http, make_user(session, roles=(role,)))
    for address in ("/led-groups", "/led-groups/new", led(group)):
        assert http.get(address).status_code == 404


def test_the_roster_shows_names_of_the_group_and_no_others(session, http, leader):
    group = make_group(session, lead=leader, kind=GroupKind.therapy)
    enrolment = asking(session, group)
    text = http.get(led(group)).text
    assert "River" in text
    assert enrolment.why in text
    for secret in ("Zebulon", enrolment.client.user.email, str(enrolment.client.public_id)):
        assert secret not in text


def test_each_reading_of_the_roster_is_written_down_once(session, http, leader):
    group = make_group(session, lead=leader)
    session.commit()
    http.get(led(group))
    http.get(led(group))
    rows = session.scalars(sa.select(AuditEntry)).all()
    assert [(row.action, row.subject_id) for row in rows] == [
        ("roster.viewed", group.public_id)
    ] * 2
    assert {row.actor_id for row in rows} == {leader.user.public_id}


@pytest.mark.parametrize(
    ("answer", "state"),
    [("invite", EnrolmentState.invited), ("decline", EnrolmentState.declined)],
)
def test_the_leaders_answer_is_kept_and_told(session, http, leader, answer, state):
    enrolment = asking(session, make_group(session, lead=leader, kind=GroupKind.therapy))
    assert answer_to(http, enrolment, answer).status_code == 303
    session.refresh(enrolment)
    assert enrolment.state is state
    assert enrolment.screening.reason == "Fits well."
    told = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "mail")).one()
    assert told.payload["to"] == enrolment.client.user.email
    assert "Fits well" not in str(told.payload)


def test_an_answer_without_a_reason_comes_back_with_what_was_chosen(session, http, leader):
    enrolment = asking(session, make_group(session, lead=leader, kind=GroupKind.therapy))
    answer = answer_to(http, enrolment, "decline", "")
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.select_one("input[value=decline][checked]")
    assert page.select_one(".error-summary")


def test_an_answer_is_given_once(session, http, leader):
    enrolment = asking(session, make_group(session, lead=leader, kind=GroupKind.therapy))
    answer_to(http, enrolment, "invite")
    assert "has changed since" in words(http.get(answer_to(http, enrolment, "decline").location))
    session.refresh(enrolment)
    assert enrolment.state is EnrolmentState.invited


def test_a_request_to_another_group_cannot_be_answered_here(session, http, leader):
    mine = make_group(session, lead=leader, kind=GroupKind.therapy)
    other = asking(session, make_group(session, kind=GroupKind.therapy))
    prefix = f"{other.public_id.hex[:8]}-"
    form = {f"{prefix}answer": "invite", f"{prefix}reason": "x"}
    assert http.post(f"{led(mine)}/screenings/{other.public_id}", data=form).status_code == 404


def test_calling_a_group_off_says_first_what_it_does(session, http, leader):
    group = make_group(session, lead=leader)
    asking(session, group)
    assert "everything that was paid goes back" in words(http.get(f"{led(group)}/cancellation"))
    assert the_group(session).state is GroupState.open


def test_a_group_that_is_called_off_lets_everybody_go_and_tells_them(session, http, leader):
    group = make_group(session, lead=leader, kind=GroupKind.therapy, price=0)
    states = [EnrolmentState.screening, EnrolmentState.invited, EnrolmentState.seated]
    people = [make_enrolment(session, group, make_client(session), state) for state in states]
    session.commit()
    http.post(f"{led(group)}/cancellation")
    for enrolment in people:
        session.refresh(enrolment)
        assert enrolment.state is EnrolmentState.left
        assert enrolment.seat_number is None
    mails = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "mail")).all()
    assert {mail.payload["to"] for mail in mails} == {one.client.user.email for one in people}
    assert group.title not in http.get("/groups").text


def test_the_list_tells_who_waits(session, http, leader):
    group = make_group(session, lead=leader, kind=GroupKind.therapy, title="Old wounds")
    asking(session, group)
    make_enrolment(session, group, make_client(session), EnrolmentState.seated, seat_number=1)
    session.commit()
    text = words(http.get("/led-groups"))
    assert "Old wounds" in text
    assert "1 waiting for an answer" in text
    assert "1 of 10" in text


def test_a_leader_without_groups_is_told_how_to_begin(session, http, leader):
    assert "Set up a group" in words(http.get("/led-groups"))


def test_the_first_day_is_a_day_of_the_groups_own_zone(session, http, leader):
    details = DETAILS | {"zone": "America/New_York", "at": "00:30"}
    http.post("/led-groups/new", data=details)
    group = the_group(session)
    assert group.starts_at.date() == date(2027, 3, 3)
    assert group.starts_at.time() == time(5, 30)
    assert group.created_at == NOW


@pytest.mark.parametrize("kind", [GroupKind.peer, GroupKind.therapy])
def test_somebody_unverified_opens_no_group_under_a_colleagues_licence(session, http, kind):
    stranger = make_therapist(session, state=ApplicationState.submitted)
    leads = [stranger, make_therapist(session)]
    draft = make_group(session, leads=leads, kind=kind, state=GroupState.draft)
    sign_in(http, stranger.user)
    answer = http.post(f"{led(draft)}/publication", follow_redirects=True)
    assert "whose own licence is verified" in words(answer)
    assert the_group(session).state is GroupState.draft


def test_an_open_group_is_not_changed_into_one_that_could_not_be_opened(session, http):
    lapsed = make_therapist(session, licence_state=LicenceState.suspended)
    group = make_group(session, lead=lapsed)
    sign_in(http, lapsed.user)
    answer = http.post(f"{led(group)}/details", data=DETAILS | {"kind": "peer"})
    assert answer.status_code == 422
    assert the_group(session).kind is GroupKind.psychoeducation


@pytest.mark.parametrize("leads", [True, False])
def test_only_a_leader_with_a_licence_reads_and_answers_who_asks(session, http, leads):
    colleague = make_therapist(session)
    other = make_therapist(
        session, licence_state=LicenceState.suspended if leads else LicenceState.verified
    )
    group = make_group(
        session,
        leads=[colleague, other] if leads else [colleague],
        kind=GroupKind.therapy,
        created_by_id=other.user_id,
    )
    enrolment = asking(session, group)
    sign_in(http, other.user)
    page = http.get(led(group))
    assert "tired of being alone" not in page.text
    assert "1 person asks to join" in words(page)
    answer = answer_to(http, enrolment)
    assert "tired of being alone" not in answer.text
    session.refresh(enrolment)
    assert enrolment.state is EnrolmentState.screening


def test_a_co_lead_who_saves_a_change_pushes_nobody_out(session, http, leader):
    colleague = make_therapist(session, "Ines Duarte", licence_state=LicenceState.suspended)
    group = make_group(session, leads=[colleague, leader], created_by_id=colleague.user_id)
    session.commit()
    page = BeautifulSoup(http.get(f"{led(group)}/details").text, "html.parser")
    chosen = page.select_one("select[name=co_lead] option[selected]")["value"]
    assert chosen == str(colleague.public_id)
    answer = http.post(f"{led(group)}/details", data=DETAILS | {"co_lead": chosen})
    assert answer.status_code == 303
    assert {lead.therapist_id for lead in the_group(session).leads} == {colleague.id, leader.id}


def test_a_group_that_is_over_is_not_called_off(session, http, leader):
    group = make_group(session, lead=leader, days=-90)
    enrolment = make_enrolment(session, group, make_client(session))
    session.commit()
    assert "Call it off" not in words(http.get(led(group)))
    answer = http.post(f"{led(group)}/cancellation", follow_redirects=True)
    assert "nothing left to call off" in words(answer)
    session.refresh(enrolment)
    assert enrolment.state is EnrolmentState.seated


def test_a_group_that_was_called_off_stays_as_it_was(session, http, leader):
    group = make_group(session, lead=leader, state=GroupState.cancelled)
    session.commit()
    assert http.post(f"{led(group)}/details", data=DETAILS).status_code == 409
    assert the_group(session).title == "Breathing room"


@pytest.mark.parametrize(
    "odd",
    [
        {"price": "NaN"},
        {"price": "sNaN"},
        {"first_day": "9999-12-30"},
        {"first_day": "0001-01-01", "zone": "Pacific/Guam"},
    ],
    ids=str,
)
def test_a_number_or_day_out_of_all_bounds_is_said_beside_its_field(session, http, leader, odd):
    assert http.post("/led-groups/new", data=DETAILS | odd).status_code == 422
