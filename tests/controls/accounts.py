"""Who is who: signing in, sessions, links in mails, tries that are counted."""

from tests.controls.control import Control

SIGNING_IN = "practice/accounts/signing_in.py"
VIEWS = "practice/accounts/views.py"
ENTERING = "practice/accounts/entering.py"
OPERATIONS = "practice/accounts/operations.py"
TOKENS = "practice/accounts/tokens.py"
ATTEMPTS = "practice/accounts/attempts.py"
PASSWORDS = "practice/accounts/passwords.py"
TESTS = "tests/practice/accounts"

CONTROLS = (
    Control(
        "an idle browser is signed out",
        "the idle limit left out of the question",
        SIGNING_IN,
        "SignInSession.idle_until > at,",
        "",
        (f"{TESTS}/test_signing_in.py::test_an_idle_browser_is_signed_out",),
    ),
    Control(
        "a session has an absolute end",
        "the absolute limit left out of the question",
        SIGNING_IN,
        "SignInSession.expires_at > at,",
        "",
        (
            f"{TESTS}/test_signing_in.py"
            "::test_a_browser_in_use_stays_signed_in_until_the_absolute_limit",
        ),
    ),
    Control(
        "an ended session stays ended, cookie or not",
        "ended rows count as live",
        SIGNING_IN,
        "SignInSession.ended_at.is_(None),\n        SignInSession.expires_at > at,",
        "SignInSession.expires_at > at,",
        (
            f"{TESTS}/test_signing_in.py"
            "::test_signing_out_ends_the_session_even_for_a_copied_cookie",
            f"{TESTS}/test_account.py::test_every_signed_in_browser_is_listed_and_one_can_be_ended",
        ),
    ),
    Control(
        "the database holds no token that opens a session",
        "tokens kept as they are",
        SIGNING_IN,
        "return hashlib.sha256(token.encode()).hexdigest()",
        "return token",
        (f"{TESTS}/test_signing_in.py::test_the_cookie_holds_a_token_that_the_database_does_not",),
    ),
    Control(
        "signing in begins a new session",
        "the session of before goes on",
        ENTERING,
        "if current_user.is_authenticated:\n        with suppress(NotFound):",
        "if False:\n        with suppress(NotFound):",
        (
            f"{TESTS}/test_signing_in.py"
            "::test_signing_in_begins_a_new_session_and_ends_the_one_before",
        ),
    ),
    Control(
        "a closed account is out at once",
        "closed accounts stay signed in",
        SIGNING_IN,
        "if row is None or row.user.disabled_at is not None:",
        "if row is None:",
        (f"{TESTS}/test_signing_in.py::test_closing_an_account_ends_the_page_that_is_open",),
    ),
    Control(
        "nobody ends another person's session",
        "any session can be ended",
        OPERATIONS,
        "SignInSession.user_id == actor.id,",
        "",
        (f"{TESTS}/test_account.py::test_nobody_ends_another_persons_session",),
    ),
    Control(
        "guessing a password is slowed down",
        "tries are not counted",
        "practice/accounts/counters.py",
        "if _tries(session, key, at - limit.within) >= limit.most:",
        "if False:",
        (
            f"{TESTS}/test_attempts.py::test_one_try_more_than_the_limit_for_an_address_is_refused",
            f"{TESTS}/test_attempts.py::test_one_browser_trying_many_addresses_is_slowed",
            f"{TESTS}/test_signing_in.py"
            "::test_too_many_tries_stop_even_the_right_password_for_a_while",
        ),
    ),
    Control(
        "the counted tries name nobody",
        "addresses kept as they are",
        ATTEMPTS,
        "return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()",
        "return text",
        (f"{TESTS}/test_attempts.py::test_no_address_stands_in_the_table",),
    ),
    Control(
        "a known and an unknown address get the same answer",
        "unknown addresses are told so",
        ENTERING,
        "if user is None or not right:\n        return None",
        "from flask import flash\n    if user is None:\n        flash('Nobody has this address.')\n"
        "    if user is None or not right:\n        return None",
        (
            f"{TESTS}/test_signing_in.py"
            "::test_a_wrong_password_and_an_unknown_address_get_the_same_answer",
        ),
    ),
    Control(
        "signing in leads to no other site",
        "any address is followed",
        "practice/accounts/forms.py",
        'return address if is_ours and plain else ""',
        "return address",
        (f"{TESTS}/test_signing_in.py::test_signing_in_leads_to_no_other_site",),
    ),
    Control(
        "a link in a mail works once",
        "used links stay good",
        TOKENS,
        "EmailToken.used_at.is_(None),\n        EmailToken.expires_at > at,",
        "EmailToken.expires_at > at,",
        (
            f"{TESTS}/test_reset.py::test_the_link_works_once",
            f"{TESTS}/test_sign_up.py::test_a_link_works_once",
        ),
    ),
    Control(
        "a link in a mail runs out",
        "old links stay good",
        TOKENS,
        "EmailToken.expires_at > at,",
        "",
        (
            f"{TESTS}/test_reset.py::test_the_link_is_good_for_an_hour_to_the_second",
            f"{TESTS}/test_sign_up.py::test_a_link_is_good_for_a_day_to_the_second",
        ),
    ),
    Control(
        "a link serves one purpose",
        "a link to confirm resets a password",
        TOKENS,
        "EmailToken.purpose == purpose,\n        EmailToken.used_at",
        "EmailToken.used_at",
        (f"{TESTS}/test_reset.py::test_a_link_to_confirm_an_address_does_not_reset_a_password",),
    ),
    Control(
        "a new password signs every browser out",
        "browsers stay signed in",
        OPERATIONS,
        "end_all_sessions(session, user, user, at)\n    session.flush()\n    return user",
        "session.flush()\n    return user",
        (f"{TESTS}/test_reset.py::test_the_new_password_is_set_and_every_browser_signed_out",),
    ),
    Control(
        "mails lead to the configured address",
        "links take the host of the request",
        "practice/accounts/mails.py",
        'path = current_app.url_map.bind("").build(endpoint, values)\n'
        '    return f"{_settings().base_url}{path}"',
        "from flask import url_for\n    return url_for(endpoint, _external=True, **values)",
        ("tests/practice/test_front_door.py::test_no_name_in_a_request_reaches_a_mail",),
    ),
    Control(
        "a stranger's sign-up with my address opens nothing",
        "a click alone confirms",
        VIEWS,
        "form.ask_only(elsewhere=not signing_in.signed_up_here(owner))",
        "form.ask_only(elsewhere=False)",
        (f"{TESTS}/test_sign_up.py::test_a_click_alone_confirms_nothing_that_a_stranger_began",),
    ),
    Control(
        "common passwords are refused",
        "the list is not asked",
        "practice/accounts/guessing.py",
        "return text in _common()",
        "return False",
        (
            f"{TESTS}/test_password_rule.py::test_the_commonest_breached_passwords_are_refused",
            f"{TESTS}/test_passwords.py::test_a_long_password_that_is_guessed_early_is_refused",
        ),
    ),
    Control(
        "a young person leaves nothing here",
        "the question for adults is passed over",
        VIEWS,
        "if not form.may_sign_up:",
        "if False:",
        (f"{TESTS}/test_sign_up.py::test_without_saying_one_is_an_adult_no_account_is_opened",),
    ),
    Control(
        "nobody gives themselves a role",
        "one's own roles can grow",
        OPERATIONS,
        "if user.id == actor.id and wanted - user.roles:",
        "if False:",
        (
            "tests/practice/oversight/test_staff.py"
            "::test_nobody_gives_themselves_a_role_that_opens_what_clients_say",
        ),
    ),
    Control(
        "a change of roles signs the person out",
        "their browsers stay signed in",
        OPERATIONS,
        "end_all_sessions(session, user, actor, at)\n    record_about(\n"
        '        session, user, actor, "staff.roles_changed"',
        'record_about(\n        session, user, actor, "staff.roles_changed"',
        ("tests/practice/oversight/test_staff.py::test_a_change_of_roles_signs_the_person_out",),
    ),
    Control(
        "one administrator who can sign in remains",
        "the last one can go",
        OPERATIONS,
        "if not stays and _administrators(session) <= {user.id}:",
        "if False:",
        (
            "tests/practice/oversight/test_staff.py"
            "::test_the_last_administrator_who_can_sign_in_remains",
        ),
    ),
    Control(
        "a role opens only its own pages",
        "any role opens every page",
        "practice/accounts/policy.py",
        "return Verdict.allow if current_user.has(*roles) else Verdict.not_found",
        "return Verdict.allow",
        (
            "tests/practice/oversight/test_staff.py::test_the_console_does_not_exist_for_others",
            "tests/journeys/test_private_pages.py::test_nobody_opens_a_page_that_is_not_theirs",
        ),
    ),
    Control(
        "an unknown address costs as much time as a known one",
        "nothing is hashed for nobody",
        PASSWORDS,
        "fits = _hasher().verify(password_hash if known else _hash_of_nobody(), _normal(password))",
        "fits = known and _hasher().verify(password_hash or '', _normal(password))",
        (f"{TESTS}/test_who_has_an_account.py::test_known_and_unknown_cost_the_same_slow_steps",),
    ),
    Control(
        "a password is long enough to stand alone",
        "eight characters are enough for everybody",
        PASSWORDS,
        "SHORTEST = 15",
        "SHORTEST = 8",
        (
            f"{TESTS}/test_passwords.py::test_alone_a_password_has_15_to_1000_characters",
            f"{TESTS}/test_second_factors.py::test_eight_characters_need_a_second_factor_beside_them",
        ),
    ),
    Control(
        "passwords are kept by a slow hash",
        "no passes over memory to speak of by default",
        "core/config.py",
        "argon2_memory_kib: int = 65536",
        "argon2_memory_kib: int = 8",
        (
            f"{TESTS}/test_password_rule.py"
            "::test_without_a_setting_a_hash_costs_what_is_recommended",
        ),
    ),
)
