from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from core.database import unit_of_work
from practice.accounts import authenticator, second_factors
from practice.accounts.attempts import BY_ADDRESS, Kind
from practice.accounts.models import AuthenticatorApp, RecoveryCode, Role, SignInSession
from practice.accounts.operations import end_all_sessions
from practice.accounts.passwords import hash_password
from practice.accounts.queries import user_with
from practice.accounts.second_factors import CodeUsed
from practice.accounts.signing_in import HALF_LASTS
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.second_factors import code, give_app, give_passkey, give_recovery_codes
from tests.conftest import NOW
from tests.practice.accounts.mailbox import mails_to

ADDRESS = "sam@example.test"
PASSWORD = "tea in the rain"
SHORT = "x7#kQ2!a"


@pytest.fixture
def user(session):
    user = make_user(session, ADDRESS, password_hash=hash_password(PASSWORD))
    return make_client(session, user=user).user


@pytest.fixture
def staff(session):
    user = make_user(
        session, ADDRESS, roles=[Role.duty_clinician], password_hash=hash_password(PASSWORD)
    )
    session.commit()
    return user


@pytest.fixture
def secret(session, user):
    secret = give_app(session, user)
    session.commit()
    return secret


def give_password(http, password=PASSWORD, path=""):
    return http.post("/sign-in", data={"email": ADDRESS, "password": password, "next": path})


def give_code(http, typed, path=""):
    return http.post("/sign-in/second-step", data={"code": typed, "next": path})


def is_in(http) -> bool:
    return http.get("/account").status_code == 200


def actions(session) -> list[str]:
    look_again(session)
    return list(session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def test_the_password_alone_opens_nothing_when_there_is_a_second_factor(http, session, secret):
    answer = give_password(http, path="/consents")
    assert answer.location == "/sign-in/second-step?next=/consents"
    assert not is_in(http)
    look_again(session)
    assert session.scalar(sa.select(sa.func.count()).select_from(SignInSession)) == 0


def test_password_and_code_together_lead_to_where_one_wanted_to_be(http, session, secret):
    give_password(http)
    assert give_code(http, code(secret, NOW), "/consents").location == "/consents"
    assert is_in(http)
    assert session.scalars(sa.select(SignInSession.is_strong)).one()


def test_a_code_without_the_password_is_not_even_looked_at(http, secret):
    assert give_code(http, code(secret, NOW)).location == "/sign-in"
    assert not is_in(http)


def test_a_code_is_typed_with_or_without_blanks(http, secret):
    give_password(http)
    typed = code(secret, NOW)
    assert give_code(http, f" {typed[:3]} {typed[3:]} ").status_code == 303


def test_the_same_code_is_not_taken_twice(http, app, secret):
    give_password(http)
    give_code(http, code(secret, NOW))
    other = app.test_client()
    give_password(other)
    assert give_code(other, code(secret, NOW)).status_code == 422
    assert not is_in(other)
    assert give_code(other, code(secret, NOW, steps=1)).status_code == 303


def test_once_a_newer_code_was_taken_an_older_one_is_not(http, app, secret):
    give_password(http)
    give_code(http, code(secret, NOW, steps=1))
    other = app.test_client()
    give_password(other)
    assert give_code(other, code(secret, NOW)).status_code == 422


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 303), (0, 303), (1, 303), (2, 422)])
def test_a_clock_may_be_half_a_minute_off_and_not_a_minute(http, secret, steps, status):
    give_password(http)
    assert give_code(http, code(secret, NOW, steps=steps)).status_code == status


def test_of_two_uses_of_one_code_at_the_same_moment_one_is_refused(session, user, secret):
    first = second_factors.look_at(session, user, code(secret, NOW), NOW)
    second = second_factors.look_at(session, user, code(secret, NOW), NOW)
    second_factors.use_up(session, user, first, NOW)
    with pytest.raises(CodeUsed):
        second_factors.use_up(session, user, second, NOW)


def test_guessing_codes_is_stopped_even_for_the_right_one(http, app, secret):
    for _ in range(BY_ADDRESS[Kind.second_factor].most):
        browser = app.test_client()
        give_password(browser)
        give_code(browser, "000000")
    give_password(http)
    answer = give_code(http, code(secret, NOW))
    assert answer.status_code == 422
    assert "wait a quarter of an hour" in answer.text
    assert not is_in(http)


def guess_codes(app, times: int) -> None:
    browser = app.test_client()
    give_password(browser)
    for _ in range(times):
        give_code(browser, "000000")


def warnings_to(session, address: str) -> list[dict[str, str]]:
    return [mail for mail in mails_to(session, address) if "may know your" in mail["subject"]]


@pytest.mark.usefixtures("http")
def test_codes_that_are_guessed_after_the_right_password_are_told_to_the_owner(
    app, session, secret
):
    most = BY_ADDRESS[Kind.second_factor].most
    guess_codes(app, most)
    assert warnings_to(session, ADDRESS) == []
    guess_codes(app, 1)
    [mail] = warnings_to(session, ADDRESS)
    assert "/forgotten" in mail["body"]
    assert actions(session).count("second_step.guessed") == 1


@pytest.mark.usefixtures("http")
def test_of_guessed_codes_the_owner_is_told_once_a_day(app, session, clock, secret):
    guess_codes(app, BY_ADDRESS[Kind.second_factor].most + 3)
    assert len(warnings_to(session, ADDRESS)) == 1
    clock.move(second_factors.WARNED_EVERY - timedelta(seconds=1))
    guess_codes(app, BY_ADDRESS[Kind.second_factor].most + 1)
    assert len(warnings_to(session, ADDRESS)) == 1
    clock.move(timedelta(seconds=1))
    guess_codes(app, 1)
    assert len(warnings_to(session, ADDRESS)) == 2


@pytest.mark.usefixtures("http")
def test_somebody_without_the_password_makes_no_mail(app, session, secret):
    stranger = app.test_client()
    for _ in range(BY_ADDRESS[Kind.second_factor].most + 3):
        give_password(stranger, "not the one")
        give_code(stranger, "000000")
    assert mails_to(session, ADDRESS) == []


def test_a_code_opens_nothing_when_the_password_is_replaced_meanwhile(
    app, http, session, secret, monkeypatch
):
    """Everybody was signed out while the code was looked at."""
    looked = second_factors.look_at

    def replaced_meanwhile(db_session, user, typed, at):
        shown = looked(db_session, user, typed, at)
        with unit_of_work() as other:
            owner = user_with(other, ADDRESS)
            owner.password_hash = hash_password("a boat on the lake")
            end_all_sessions(other, owner, owner, NOW)
        return shown

    give_password(http)
    monkeypatch.setattr(second_factors, "look_at", replaced_meanwhile)
    give_code(http, code(secret, NOW))
    look_again(session)
    assert session.scalars(sa.select(SignInSession)).all() == []


def test_the_second_step_must_follow_within_ten_minutes(http, secret, clock):
    give_password(http)
    clock.move(HALF_LASTS)
    assert give_code(http, code(secret, NOW + HALF_LASTS)).location == "/sign-in"


def test_a_half_sign_in_is_over_once_it_was_completed(http, app, secret):
    give_password(http)
    copied = app.test_client()
    with http.session_transaction() as cookie, copied.session_transaction() as copy:
        copy.update(cookie)
    give_code(http, code(secret, NOW))
    assert give_code(copied, code(secret, NOW, steps=1)).location == "/sign-in"


def test_the_secret_is_not_readable_in_the_database(session, secret):
    rows = session.execute(sa.text("SELECT secret_sealed FROM authenticator_apps")).scalars().all()
    assert rows
    assert all(secret.encode() not in bytes(row) for row in rows)


def test_a_recovery_code_stands_in_once_and_its_owner_is_told(http, app, session, user, secret):
    codes = give_recovery_codes(session, user)
    session.commit()
    give_password(http)
    assert give_code(http, codes[3].upper().replace("-", " ")).status_code == 303
    assert is_in(http)
    assert "recovery code" in mails_to(session, ADDRESS)[-1]["subject"]
    assert "recovery_code.used" in actions(session)
    other = app.test_client()
    give_password(other)
    assert give_code(other, codes[3]).status_code == 422
    assert give_code(other, codes[4]).status_code == 303


def test_new_recovery_codes_end_the_old_ones(session, user, secret):
    old = give_recovery_codes(session, user)
    new = give_recovery_codes(session, user)
    assert second_factors.look_at(session, user, old[0], NOW) is None
    assert second_factors.look_at(session, user, new[0], NOW) is not None


def test_the_owner_is_told_of_new_recovery_codes(http, session, user, secret):
    give_recovery_codes(session, user)
    sign_in(http, user)
    before = len(mails_to(session, ADDRESS))
    http.post("/account/recovery-codes")
    assert [mail["subject"] for mail in mails_to(session, ADDRESS)[before:]] == [
        "How you sign in was changed"
    ]


def test_another_persons_recovery_code_is_none_of_mine(session, user, secret):
    theirs = give_recovery_codes(session, make_user(session))
    give_recovery_codes(session, user)
    assert second_factors.look_at(session, user, theirs[0], NOW) is None


def test_recovery_codes_are_kept_as_slow_hashes_with_a_salt_each(session, user):
    codes = give_recovery_codes(session, user)
    kept = session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert len(set(codes)) == len(set(kept)) == 10
    assert all(one.startswith("$argon2id$") for one in kept)


@pytest.mark.parametrize("path", ["/today", "/flags", "/account", "/account/password"])
def test_staff_without_a_second_factor_see_nothing_before_they_have_one(http, staff, path):
    give_password(http)
    assert http.get(path).location == "/account/second-factor"


@pytest.mark.parametrize(
    "path", ["/account/second-factor", "/crisis", "/account/passkeys/new", "/health"]
)
def test_they_can_set_one_up_and_find_help(http, staff, path):
    give_password(http)
    assert http.get(path).status_code == 200


def test_they_can_leave(http, staff):
    give_password(http)
    assert http.post("/sign-out").location == "/sign-in"


def test_setting_up_an_app_opens_the_house_and_gives_ten_codes_once(http, session, staff):
    give_password(http)
    assert http.post("/account/authenticator").location == "/account/authenticator"
    page = http.get("/account/authenticator").text
    app = session.scalars(sa.select(AuthenticatorApp)).one()
    assert authenticator.in_groups(app.secret) in page
    assert "data:image/svg+xml" in page
    wrong = http.post("/account/authenticator/confirmation", data={"code": "000000"})
    assert wrong.status_code == 422
    assert authenticator.in_groups(app.secret) in wrong.text
    assert http.get("/flags").location == "/account/second-factor"
    right = http.post("/account/authenticator/confirmation", data={"code": code(app.secret, NOW)})
    codes = http.get(right.location)
    assert codes.text.count("<li>") >= 10
    assert http.get("/flags").status_code == 200
    http.post(f"{right.location}/kept")
    assert http.get(right.location).status_code == 404
    assert {"authenticator_app.added", "recovery_codes.renewed"} <= {*actions(session)}


def test_the_codes_can_be_downloaded_in_this_browser_and_in_no_other(
    http, app, session, user, secret
):
    sign_in(http, user)
    codes = http.post("/account/recovery-codes").location
    file = http.get(f"{codes}/file")
    assert file.mimetype == "text/plain"
    assert len(file.text.split("\n")) >= 11
    elsewhere = app.test_client()
    sign_in(elsewhere, user)
    assert elsewhere.get(codes).status_code == 404
    assert elsewhere.get(f"{codes}/file").status_code == 404


def test_staff_keep_their_last_second_factor(http, session, staff):
    give_app(session, staff)
    sign_in(http, staff)
    answer = http.post("/account/authenticator/removal", data={"password": PASSWORD})
    assert answer.status_code == 422
    assert "need a second factor" in answer.text
    give_passkey(session, staff)
    session.commit()
    assert (
        http.post("/account/authenticator/removal", data={"password": PASSWORD}).status_code == 303
    )


def test_a_short_password_is_made_longer_before_the_second_factor_goes(http, session, user, secret):
    user.password_hash = hash_password(SHORT)
    sign_in(http, user)
    answer = http.post("/account/authenticator/removal", data={"password": SHORT})
    assert answer.status_code == 422
    assert "15 characters" in answer.text
    http.post("/account/password", data={"password": PASSWORD})
    answer = http.post("/account/authenticator/removal", data={"password": PASSWORD})
    assert answer.status_code == 303
    look_again(session)
    assert session.scalars(sa.select(AuthenticatorApp)).all() == []
    assert session.scalars(sa.select(RecoveryCode)).all() == []


@pytest.mark.parametrize(("factor", "status"), [(True, 303), (False, 422)])
def test_eight_characters_need_a_second_factor_beside_them(http, session, user, factor, status):
    if factor:
        give_app(session, user)
    sign_in(http, user)
    assert http.post("/account/password", data={"password": SHORT}).status_code == status


def test_a_short_password_left_alone_is_made_longer_first(http, session, user):
    user.password_hash = hash_password(SHORT)
    session.commit()
    give_password(http, SHORT)
    assert http.get("/today").location == "/account/second-factor"
    assert "fewer than 15" in http.get("/account/second-factor").text
    assert http.post("/account/password", data={"password": PASSWORD}).status_code == 303
    assert http.get("/account").status_code == 200


def test_codes_of_the_demo_are_shown_in_the_demo_alone(http):
    assert http.get("/demo/second-factor").status_code == 404


def test_a_second_factor_is_set_up_at_most_once(http, session, user, secret):
    sign_in(http, user)
    assert http.post("/account/authenticator").status_code == 404
    look_again(session)
    assert session.scalars(sa.select(AuthenticatorApp)).one().secret == secret


def test_a_reset_password_leaves_the_second_factor_in_place(http, session, user, secret):
    http.post("/forgotten", data={"email": ADDRESS})
    from tests.practice.accounts.mailbox import link_in

    http.post(link_in(mails_to(session, ADDRESS)[-1]), data={"password": "a boat on the lake"})
    assert give_password(http, "a boat on the lake").location == "/sign-in/second-step"
    assert not is_in(http)


def test_staff_idle_for_half_an_hour_and_no_longer(http, staff, clock):
    sign_in(http, staff)
    clock.move(timedelta(minutes=30) - timedelta(seconds=1))
    assert is_in(http)
    clock.move(timedelta(minutes=30))
    assert not is_in(http)


def test_staff_sign_in_at_least_twice_a_day(http, staff, clock):
    sign_in(http, staff)
    for _ in range(31):
        clock.move(timedelta(minutes=23))
        assert is_in(http)
    clock.move(timedelta(minutes=12 * 60 - 31 * 23))
    assert not is_in(http)
