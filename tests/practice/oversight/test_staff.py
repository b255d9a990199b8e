import pytest
import sqlalchemy as sa

from practice.accounts import operations
from practice.accounts.models import Role, User
from practice.accounts.passwords import is_right
from practice.accounts.queries import user_with
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.conftest import NOW
from tests.practice.accounts.mailbox import link_in, mails_to

INVITED = {"name": "Mireille Aydin", "email": "Mireille@example.test", "roles": ["duty_clinician"]}


@pytest.fixture
def admin(session, http):
    admin = make_user(session, roles=[Role.administrator], name="Kay")
    sign_in(http, admin)
    return admin


@pytest.fixture
def colleague(session, admin):
    colleague = make_user(session, roles=[Role.supervisor], name="Piotr Lindqvist")
    session.commit()
    return colleague


def change(http, person, roles, confirmed="yes"):
    data = {"roles": roles, "confirmed": confirmed}
    return http.post(f"/oversight/staff/{person.public_id}/roles", data=data)


def test_an_invited_colleague_chooses_a_password_and_is_in(http, app, session, admin):
    assert http.post("/oversight/staff/invitation", data=INVITED).status_code == 303
    link = link_in(mails_to(session, "mireille@example.test")[0])
    invited = app.test_client()
    assert "Mireille Aydin" in invited.get(link).text
    answer = invited.post(link, data={"password": "tea in the rain"})
    assert answer.location == "/today"
    look_again(session)
    user = user_with(session, "mireille@example.test")
    assert user.roles == {Role.duty_clinician}
    assert user.is_confirmed
    assert is_right("tea in the rain", user.password_hash)
    assert invited.get("/account").location == "/account/second-factor"


def test_an_invitation_works_once(http, app, session, admin):
    http.post("/oversight/staff/invitation", data=INVITED)
    link = link_in(mails_to(session, "mireille@example.test")[0])
    app.test_client().post(link, data={"password": "tea in the rain"})
    late = app.test_client().post(link, data={"password": "something else here"})
    assert late.status_code == 410


def test_a_new_invitation_replaces_the_one_before(http, app, session, admin):
    http.post("/oversight/staff/invitation", data=INVITED)
    person = user_with(session, "mireille@example.test")
    http.post(f"/oversight/staff/{person.public_id}/invitation")
    first, second = mails_to(session, "mireille@example.test")
    assert app.test_client().get(link_in(first)).status_code == 410
    assert app.test_client().get(link_in(second)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"roles": []}, "at least one role"),
        ({"roles": ["client"]}, "Please look at this again"),
        ({"roles": ["emperor"]}, "Please look at this again"),
        ({"email": "mireille"}, "does not look like"),
        ({"name": ""}, "Please give their name"),
    ],
)
def test_an_invitation_that_cannot_be_sent_is_refused_in_words(http, session, admin, wrong, words):
    answer = http.post("/oversight/staff/invitation", data=INVITED | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert session.scalar(sa.select(sa.func.count()).select_from(User)) == 1


def test_a_taken_address_is_refused_and_gets_no_role(http, session, admin):
    client = make_client(session, user=make_user(session, "mireille@example.test"))
    session.commit()
    answer = http.post("/oversight/staff/invitation", data=INVITED)
    assert answer.status_code == 422
    assert "has an account already" in answer.text
    look_again(session)
    assert client.user.roles == {Role.client}


def test_roles_change_only_after_a_second_look(http, session, colleague):
    asked = change(http, colleague, ["duty_clinician"], confirmed="")
    assert "supervisor" in asked.text
    assert "duty clinician" in asked.text
    look_again(session)
    assert colleague.roles == {Role.supervisor}
    change(http, colleague, ["duty_clinician", "supervisor"])
    look_again(session)
    assert colleague.roles == {Role.duty_clinician, Role.supervisor}


def test_a_change_of_roles_signs_the_person_out(http, app, session, colleague):
    theirs = app.test_client()
    sign_in(theirs, colleague)
    change(http, colleague, ["duty_clinician"])
    assert theirs.get("/account").status_code == 303


def test_nobody_takes_their_own_administration_away(http, session, admin):
    make_user(session, roles=[Role.administrator])
    session.commit()
    answer = change(http, admin, ["supervisor"])
    assert answer.status_code == 422
    assert "Nobody changes their own administrator role" in answer.text
    look_again(session)
    assert admin.has(Role.administrator)


@pytest.mark.parametrize("role", ["clinical_lead", "duty_clinician", "therapist"])
def test_nobody_gives_themselves_a_role_that_opens_what_clients_say(http, session, admin, role):
    answer = change(http, admin, ["administrator", role])
    assert answer.status_code == 422
    assert "Nobody gives themselves a role" in answer.text
    look_again(session)
    assert admin.roles == {Role.administrator}


def test_an_administrator_may_give_up_another_role_of_their_own(http, app, session):
    both = make_user(session, roles=[Role.administrator, Role.moderator])
    sign_in(http, both)
    assert change(http, both, ["administrator"]).status_code == 303
    look_again(session)
    assert both.roles == {Role.administrator}


def test_a_taken_up_invitation_is_not_sent_again(http, session, colleague):
    address = f"/oversight/staff/{colleague.public_id}/invitation"
    assert http.post(address).status_code == 409
    assert mails_to(session, colleague.email) == []


def test_a_password_chosen_by_another_link_ends_the_invitation(http, app, session, admin):
    http.post("/oversight/staff/invitation", data=INVITED)
    theirs = app.test_client()
    theirs.post("/forgotten", data={"email": "mireille@example.test"})
    invitation, reset = (link_in(mail) for mail in mails_to(session, "mireille@example.test"))
    assert theirs.post(reset, data={"password": "lanterns by the river"}).status_code == 303
    assert theirs.post(invitation, data={"password": "somebody else's"}).status_code == 410


def test_nobody_closes_their_own_account_here(http, session, admin):
    make_user(session, roles=[Role.administrator])
    session.commit()
    assert http.post(f"/oversight/staff/{admin.public_id}/closure").status_code == 422
    look_again(session)
    assert not admin.is_disabled


def test_the_last_administrator_who_can_sign_in_remains(session, admin):
    actor = make_user(session, roles=[Role.administrator], disabled_at=NOW)
    make_user(session, roles=[Role.administrator], confirmed=False)
    with pytest.raises(operations.LastAdministrator):
        operations.change_roles(session, admin, {Role.supervisor}, actor, NOW)
    with pytest.raises(operations.LastAdministrator):
        operations.disable(session, admin, actor, NOW)


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(http, app, session, colleague):
    theirs = app.test_client()
    sign_in(theirs, colleague)
    http.post(f"/oversight/staff/{colleague.public_id}/closure")
    assert theirs.get("/account").status_code == 303
    http.post(f"/oversight/staff/{colleague.public_id}/reopening")
    look_again(session)
    assert not colleague.is_disabled
    assert theirs.get("/account").status_code == 303


def test_being_a_client_is_untouched_by_a_change_of_roles(session, admin):
    both = make_user(session, roles=[Role.client, Role.supervisor])
    operations.change_roles(session, both, {Role.moderator}, admin, NOW)
    assert both.roles == {Role.client, Role.moderator}


def test_a_client_is_no_member_of_staff(http, session, admin):
    client = make_client(session, preferred_name="Robin")
    session.commit()
    assert client.user.email not in http.get("/oversight/staff").text
    assert http.get(f"/oversight/staff/{client.user.public_id}").status_code == 404
    assert change(http, client.user, ["administrator"]).status_code == 404
    assert http.post(f"/oversight/staff/{client.user.public_id}/closure").status_code == 404


def test_the_list_can_be_narrowed_to_a_role_and_leafed_through(http, session, admin, colleague):
    for n in range(25):
        make_user(session, roles=[Role.moderator], name=f"Person {n:02d}")
    session.commit()
    moderators = http.get("/oversight/staff?role=moderator").text
    assert "Piotr" not in moderators
    assert "Page 1 of 2" in moderators
    assert "Person 24" in http.get("/oversight/staff?role=moderator&page=2").text
    assert http.get("/oversight/staff?role=emperor&page=x").status_code == 200


PAGES = [
    "/oversight",
    "/oversight/staff",
    "/oversight/staff/invitation",
    "/oversight/rota",
    "/oversight/documents",
    "/oversight/log",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "role", [role for role in Role if role is not Role.administrator], ids=lambda role: role.value
)
def test_the_console_does_not_exist_for_others(http, session, path, role):
    sign_in(http, make_user(session, roles=[role]))
    assert http.get(path).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_the_console_opens_for_administrators(http, admin, path):
    assert http.get(path).status_code == 200


def test_nobody_posts_to_the_console_without_being_one(http, session, colleague):
    sign_in(http, make_user(session, roles=[Role.clinical_lead]))
    paths = ["roles", "closure", "reopening", "invitation"]
    for path in paths:
        address = f"/oversight/staff/{colleague.public_id}/{path}"
        assert http.post(address, data={"roles": "administrator"}).status_code == 404
    assert http.post("/oversight/staff/invitation", data=INVITED).status_code == 404
