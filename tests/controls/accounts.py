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
KNOWN = "practice/accounts/known_browsers.py"
KNOWN_TESTS = f"{TESTS}/test_known_browsers.py"
PROPOSALS = "tests/practice/oversight/test_proposals.py"

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
        "strangers do not lock the owner's own browser out",
        "a known browser is counted as a stranger",
        KNOWN,
        'return next((token for token in tokens if _is_good(token, account, now())), "")',
        'return ""',
        (
            f"{KNOWN_TESTS}::test_strangers_guesses_leave_the_owners_browser_its_own_tries",
            f"{KNOWN_TESTS}"
            "::test_whatever_is_tried_in_the_same_house_leaves_the_owners_browser_its_own",
            f"{KNOWN_TESTS}::test_the_second_step_has_tries_of_its_own_at_home_too",
        ),
    ),
    Control(
        "a known browser has its own ten tries",
        "it is not counted",
        ATTEMPTS,
        "        return {_known_key(kind, known): BY_ADDRESS[kind]}",
        "        return {}",
        (
            f"{KNOWN_TESTS}::test_a_known_browser_has_ten_tries_and_no_more",
            f"{KNOWN_TESTS}::test_copies_of_one_token_share_its_tries",
        ),
    ),
    Control(
        "nobody but us makes a browser known",
        "the signature is not looked at",
        KNOWN,
        "is_ours = hmac.compare_digest(mac.encode(), _mac(account, made, nonce).encode())",
        "is_ours = True",
        (
            f"{KNOWN_TESTS}::test_a_token_that_was_changed_is_a_strangers",
            f"{KNOWN_TESTS}::test_a_token_is_good_for_its_account_alone",
        ),
    ),
    Control(
        "a browser is known for ninety days",
        "it is known for ever",
        KNOWN,
        "return is_ours and at - datetime.fromtimestamp(int(made), UTC) < GOOD_FOR",
        "return is_ours",
        (f"{KNOWN_TESTS}::test_a_token_is_good_for_ninety_days_to_the_second",),
    ),
    Control(
        "a new password and signing out make every browser a stranger",
        "they stay known",
        KNOWN,
        "user.known_round = User.known_round + 1",
        "pass",
        (f"{KNOWN_TESTS}::test_afterwards_the_browser_is_a_strangers_again",),
    ),
    Control(
        "whoever brings a known browser learns of no other account",
        "an unknown address gets other words",
        KNOWN,
        "account = _account_of(email) or NOBODYS",
        "account = _account_of(email)\n    if account is None:\n        return tokens[0]",
        (f"{KNOWN_TESTS}::test_whoever_brings_a_token_learns_of_no_other_account",),
    ),
    Control(
        "signing in is one transaction",
        "another one begins the session",
        ENTERING,
        "            operations.renew_hash(user, newer_hash)\n        entry",
        "            operations.renew_hash(user, newer_hash)\n"
        "    with unit_of_work() as session:\n        entry",
        (
            f"{TESTS}/test_signing_in.py"
            "::test_signing_in_is_one_transaction_so_a_new_password_ends_it_or_stops_it",
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
        "a second person's role is given by two",
        "one administrator alone makes another",
        "practice/accounts/two_people.py",
        "return bool(GIVEN_BY_TWO & frozenset(roles)) and "
        "session.scalars(others).first() is not None",
        "return False",
        (
            f"{PROPOSALS}::test_no_way_round_the_page_makes_one_alone",
            f"{PROPOSALS}::test_an_invitation_waits_until_another_administrator_agrees",
            f"{PROPOSALS}::test_a_change_of_roles_waits_too_and_changes_nothing_until_then",
            f"{PROPOSALS}::test_a_closed_administrator_is_opened_again_by_two",
        ),
    ),
    Control(
        "whom one administrator made alone is their hand for a week",
        "they are a second person at once",
        "practice/accounts/two_people.py",
        "    if _hand(session, first, asks_as, at) == _hand(session, second, answers_as, at):\n"
        "        raise OneHand",
        "    pass",
        (
            "tests/practice/accounts/test_two_people.py"
            "::test_for_a_week_whom_one_made_administrator_alone_is_their_hand_both_ways",
            f"{PROPOSALS}::test_a_second_factor_is_not_removed_by_one_with_two_mailboxes",
            f"{PROPOSALS}::test_who_proposes_does_not_agree_through_a_mailbox_of_their_own",
            "tests/practice/credentials/test_operations.py"
            "::test_an_administrator_whom_the_first_one_made_alone_is_no_second_person_for_a_week",
            "tests/practice/care/test_emergency.py"
            "::test_whom_one_administrator_made_alone_does_not_decide_for_them",
            "tests/practice/care/test_emergency.py"
            "::test_a_lead_and_a_clinician_of_one_hand_do_not_review_each_other_nor_put_the_notice_off",
        ),
    ),
    Control(
        "whoever proposed a role does not agree to it",
        "anybody may agree",
        OPERATIONS,
        "two_people.require_two(session, actor, agreed_by, at)",
        "pass",
        (f"{PROPOSALS}::test_whoever_proposed_cannot_agree",),
    ),
    Control(
        "nobody agrees to a role of their own",
        "the person concerned may",
        "practice/accounts/proposals.py",
        "if proposal.user_id == actor.id:",
        "if False:",
        (f"{PROPOSALS}::test_nobody_agrees_to_a_role_of_their_own",),
    ),
    Control(
        "a proposed role lapses",
        "it can be agreed to for ever",
        "practice/accounts/proposals.py",
        "RoleProposal.proposed_at > at - GOOD_FOR,",
        "",
        (f"{PROPOSALS}::test_a_proposal_lapses_after_a_week_to_the_second",),
    ),
    Control(
        "closing an account ends what was proposed for it",
        "whoever closed it opens it again with a yes",
        "practice/accounts/proposals.py",
        "        ~closed_since,\n",
        "",
        (f"{PROPOSALS}::test_closing_an_account_ends_what_was_proposed_for_it",),
    ),
    Control(
        "another change of roles ends what was proposed before",
        "a role taken away comes back with a yes to another",
        "practice/accounts/proposals.py",
        "        ~changed_since,\n",
        "",
        (f"{PROPOSALS}::test_another_change_of_roles_ends_what_was_proposed_before",),
    ),
    Control(
        "an open account is not opened again",
        "its roles count as given now, by one alone",
        OPERATIONS,
        "    if not user.is_disabled:\n        raise WrongState\n    _require_agreement",
        "    _require_agreement",
        (f"{PROPOSALS}::test_an_open_account_is_not_opened_again",),
    ),
    Control(
        "whoever lost a second person's role hears of it",
        "only those who have one still",
        OPERATIONS,
        "for person in dict.fromkeys([*holders, *losers]):",
        "for person in holders:",
        (
            f"{PROPOSALS}::test_an_administrator_is_also_unmade_by_one_and_the_others_are_told",
            f"{PROPOSALS}::test_whoever_is_closed_hears_of_it_unless_they_never_came",
        ),
    ),
    Control(
        "administrators are locked before whom a change of roles concerns",
        "whoever it concerns is locked first",
        OPERATIONS,
        "    two_people.administrators(session)\n    session.execute(sa.select(User.id)",
        "    session.execute(sa.select(User.id)",
        (f"{PROPOSALS}::test_administrators_are_locked_before_whom_a_change_concerns",),
    ),
    Control(
        "a passkey opens no account that is closed meanwhile",
        "its session is good once the account is open again",
        ENTERING,
        "        if user.is_disabled:\n            raise PasskeyRefused\n",
        "",
        (
            f"{TESTS}/test_passkeys.py"
            "::test_an_account_that_is_closed_while_the_answer_is_looked_at_is_not_entered",
        ),
    ),
    Control(
        "the house hears of what one administrator did alone",
        "nobody is told",
        OPERATIONS,
        "mails.send_second_persons_changed(session, person, at)",
        "pass",
        (
            f"{PROPOSALS}::test_the_only_administrators_word_stands_and_the_house_is_told",
            f"{PROPOSALS}::test_an_administrator_is_also_unmade_by_one_and_the_others_are_told",
        ),
    ),
    Control(
        "a change of roles signs the person out",
        "their browsers stay signed in",
        OPERATIONS,
        "end_all_sessions(session, user, actor, at)\n    record_about(\n"
        '        session, user, agreed_by or actor, "staff.roles_changed"',
        'record_about(\n        session, user, agreed_by or actor, "staff.roles_changed"',
        ("tests/practice/oversight/test_staff.py::test_a_change_of_roles_signs_the_person_out",),
    ),
    Control(
        "one administrator who can sign in remains",
        "the last one can go",
        OPERATIONS,
        "if not stays and two_people.administrators(session) <= {user.id}:",
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
