import sqlalchemy as sa

from practice.accounts.models import Role, SignInSession
from tests.builders.accounts import look_again, make_client, make_user, sign_in


def sessions(session) -> list[SignInSession]:
    look_again(session)
    return list(session.scalars(sa.select(SignInSession).order_by(SignInSession.id)))


def test_a_client_says_what_to_call_them_and_where_to_ring(http, session):
    client = make_client(session)
    sign_in(http, client.user)
    answer = http.post("/account", data={"name": "Robin", "phone": "+1 (206) 555-0100"})
    assert answer.status_code == 303
    look_again(session)
    assert (client.preferred_name, client.phone) == ("Robin", "+1 (206) 555-0100")
    assert client.user.name == ""


def test_a_telephone_number_without_digits_is_refused_and_kept_on_the_page(http, session):
    client = make_client(session, phone="206 555 0100")
    sign_in(http, client.user)
    answer = http.post("/account", data={"name": "Robin", "phone": "ring my bell"})
    assert answer.status_code == 422
    assert "ring my bell" in answer.text
    look_again(session)
    assert client.phone == "206 555 0100"


def test_a_colleague_has_a_name_and_no_telephone(http, session):
    user = make_user(session, roles=[Role.administrator], name="Kay")
    sign_in(http, user)
    assert "Telephone" not in http.get("/account").text
    http.post("/account", data={"name": "Kay Brandt"})
    look_again(session)
    assert user.name == "Kay Brandt"


def test_every_signed_in_browser_is_listed_and_one_can_be_ended(http, app, session):
    client = make_client(session)
    sign_in(http, client.user)
    elsewhere = app.test_client()
    sign_in(elsewhere, client.user)
    page = http.get("/account").text
    assert page.count("A browser in a test") >= 2
    other = sessions(session)[1].public_id
    assert http.post(f"/account/browsers/{other}/end").status_code == 303
    assert elsewhere.get("/account").status_code == 303
    assert http.get("/account").status_code == 200


def test_nobody_ends_another_persons_session(http, app, session):
    mine, theirs = make_client(session), make_client(session)
    victim = app.test_client()
    sign_in(victim, theirs.user)
    sign_in(http, mine.user)
    other = sessions(session)[0].public_id
    assert http.post(f"/account/browsers/{other}/end").status_code == 404
    assert victim.get("/account").status_code == 200


def test_signing_out_everywhere_ends_this_browser_too(http, app, session):
    client = make_client(session)
    sign_in(http, client.user)
    elsewhere = app.test_client()
    sign_in(elsewhere, client.user)
    http.post("/account/browsers/end")
    assert http.get("/account").status_code == 303
    assert elsewhere.get("/account").status_code == 303


def test_without_signing_in_there_is_no_account_page(http):
    assert http.get("/account").location == "/sign-in?next=/account"
    assert http.post("/account/browsers/end").location == "/sign-in"
