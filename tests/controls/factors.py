"""Second factors, passkeys, and a fresh proof before what matters."""

from tests.controls.control import Control

FACTORS = "practice/accounts/second_factors.py"
SIGNING_IN = "practice/accounts/signing_in.py"
PASSKEYS = "practice/accounts/passkeys.py"
CHALLENGES = "practice/accounts/challenges.py"
FACTOR_TESTS = "tests/practice/accounts/test_second_factors.py"
PASSKEY_TESTS = "tests/practice/accounts/test_passkeys.py"

CONTROLS = (
    Control(
        "a password alone opens nothing beside a second factor",
        "the second step is passed over",
        "practice/accounts/entering.py",
        "if second_factors.factors_of(session, user).any:",
        "if False:",
        (f"{FACTOR_TESTS}::test_the_password_alone_opens_nothing_when_there_is_a_second_factor",),
    ),
    Control(
        "staff see nothing before they have a second factor",
        "everybody goes on",
        SIGNING_IN,
        "if row.is_strong or not (current_user.is_staff or row.short_password):",
        "if True:",
        (
            f"{FACTOR_TESTS}::test_staff_without_a_second_factor_see_nothing_before_they_have_one",
            f"{FACTOR_TESTS}::test_a_short_password_left_alone_is_made_longer_first",
        ),
    ),
    Control(
        "staff idle for half an hour and no longer",
        "staff idle as long as clients",
        SIGNING_IN,
        "STAFF_LIMITS = Limits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))",
        "STAFF_LIMITS = Limits(idle=timedelta(hours=12), absolute=timedelta(days=14))",
        (
            f"{FACTOR_TESTS}::test_staff_idle_for_half_an_hour_and_no_longer",
            f"{FACTOR_TESTS}::test_staff_sign_in_at_least_twice_a_day",
        ),
    ),
    Control(
        "a code of the app works once",
        "the step is not used up",
        FACTORS,
        "older = sa.and_(AuthenticatorApp.user_id == user.id, AuthenticatorApp.last_step < step)\n"
        "    used = session.execute(sa.update(AuthenticatorApp).where(older)"
        ".values(last_step=step))\n    if used.rowcount != 1:\n        raise CodeUsed",
        "return",
        (f"{FACTOR_TESTS}::test_the_same_code_is_not_taken_twice",),
    ),
    Control(
        "a code of the app lasts for its half minute and the one beside it",
        "ten minutes of codes are good",
        "practice/accounts/authenticator.py",
        "WINDOW = 1",
        "WINDOW = 20",
        (f"{FACTOR_TESTS}::test_a_clock_may_be_half_a_minute_off_and_not_a_minute",),
    ),
    Control(
        "guessing codes is slowed down",
        "codes are not counted",
        "practice/accounts/factor_views.py",
        "if form.validate_on_submit() and counted(form, Kind.second_factor, user.email):",
        "if form.validate_on_submit():",
        (f"{FACTOR_TESTS}::test_guessing_codes_is_stopped_even_for_the_right_one",),
    ),
    Control(
        "the owner hears of codes guessed after the right password",
        "nobody is told",
        FACTORS,
        "mails.send_second_step_guessed(session, user, at)",
        "pass",
        (
            f"{FACTOR_TESTS}"
            "::test_codes_that_are_guessed_after_the_right_password_are_told_to_the_owner",
        ),
    ),
    Control(
        "a code opens nothing once the password before it was replaced",
        "the half is not looked at again",
        "practice/accounts/entering.py",
        "        operations.require_half(session, key)\n",
        "",
        (f"{FACTOR_TESTS}::test_a_code_opens_nothing_when_the_password_is_replaced_meanwhile",),
    ),
    Control(
        "a passkey's count is kept by who saw it",
        "whatever stands there is written over",
        FACTORS,
        "as_seen = sa.and_(Passkey.id == used.row, Passkey.sign_count == used.kept_count)",
        "as_seen = Passkey.id == used.row",
        (f"{PASSKEY_TESTS}::test_a_count_that_was_shown_twice_at_once_opens_once",),
    ),
    Control(
        "a challenge answers to its own browser",
        "any that waits is taken",
        CHALLENGES,
        "PasskeyChallenge.public_id.in_(public_ids),\n",
        "",
        (f"{PASSKEY_TESTS}::test_a_challenge_is_good_on_the_browser_that_asked_for_it",),
    ),
    Control(
        "the second step follows within ten minutes",
        "half a sign-in lasts for ever",
        SIGNING_IN,
        'HalfSignIn.token_hash == token_hash(session.get("half", "")), HalfSignIn.expires_at > at',
        'HalfSignIn.token_hash == token_hash(session.get("half", ""))',
        (f"{FACTOR_TESTS}::test_the_second_step_must_follow_within_ten_minutes",),
    ),
    Control(
        "a recovery code works once",
        "used codes stay good",
        FACTORS,
        "used = session.execute(sa.update(RecoveryCode).where(unused).values(used_at=at))",
        "used = session.execute(sa.update(RecoveryCode).where(unused).values(used_at=None))",
        (f"{FACTOR_TESTS}::test_a_recovery_code_stands_in_once_and_its_owner_is_told",),
    ),
    Control(
        "recovery codes are kept as slow hashes",
        "they are kept as they are",
        "practice/accounts/recovery.py",
        "return hash_password(_plain(code))",
        "return _plain(code)",
        (f"{FACTOR_TESTS}::test_recovery_codes_are_kept_as_slow_hashes_with_a_salt_each",),
    ),
    Control(
        "staff keep their last second factor",
        "the last one can go",
        FACTORS,
        "if user.is_staff and factors_of(session, user).count <= 1:",
        "if False:",
        (f"{FACTOR_TESTS}::test_staff_keep_their_last_second_factor",),
    ),
    Control(
        "a passkey's answer is for this site and knows its owner",
        "any origin is believed",
        PASSKEYS,
        "expected_origin=origin(settings),\n            credential_public_key",
        "expected_origin=[origin(settings), 'https://evil.example', 'http://evil.example', "
        "'https://elsewhere.example', 'https://attune.evil.example'],\n"
        "            credential_public_key",
        (f"{PASSKEY_TESTS}::test_an_answer_made_elsewhere_or_without_its_owner_is_refused",),
    ),
    Control(
        "a passkey's answer is taken once",
        "challenges are not used up",
        CHALLENGES,
        "taken = session.execute(sa.delete(PasskeyChallenge)"
        ".where(PasskeyChallenge.id == row.id))\n    if taken.rowcount != 1:\n"
        "        raise PasskeyRefused",
        "pass",
        (f"{PASSKEY_TESTS}::test_an_answer_is_taken_once",),
    ),
    Control(
        "a challenge is good for five minutes",
        "old challenges stay good",
        CHALLENGES,
        "PasskeyChallenge.expires_at > at,",
        "",
        (f"{PASSKEY_TESTS}::test_a_challenge_is_good_for_five_minutes_to_the_second",),
    ),
    Control(
        "a challenge serves one purpose",
        "one for a new passkey also proves",
        CHALLENGES,
        "PasskeyChallenge.purpose == purpose,",
        "",
        (
            "tests/practice/accounts/test_challenges.py"
            "::test_a_challenge_serves_the_purpose_it_was_made_for",
        ),
    ),
    Control(
        "a challenge is for one person",
        "anybody may answer it",
        CHALLENGES,
        "PasskeyChallenge.expires_at > at,\n        owner,",
        "PasskeyChallenge.expires_at > at,",
        (
            "tests/practice/accounts/test_challenges.py"
            "::test_a_challenge_is_for_the_person_it_was_made_for",
        ),
    ),
    Control(
        "a copied passkey is noticed",
        "the count of before is not looked at",
        PASSKEYS,
        "credential_current_sign_count=passkey.sign_count,",
        "credential_current_sign_count=0,",
        (f"{PASSKEY_TESTS}::test_a_count_that_went_back_means_a_copy_and_is_refused",),
    ),
    Control(
        "nobody removes another person's passkey",
        "any passkey is found",
        FACTORS,
        "mine = sa.select(Passkey).where(Passkey.public_id == public_id, "
        "Passkey.user_id == user.id)",
        "mine = sa.select(Passkey).where(Passkey.public_id == public_id)",
        (f"{PASSKEY_TESTS}::test_nobody_names_or_removes_another_persons_passkey",),
    ),
    Control(
        "what matters asks for a fresh proof",
        "an old proof is enough",
        "practice/accounts/policy.py",
        "return current_user.is_authenticated and now() - current_user.row.proved_at "
        "<= PROOF_LASTS",
        "return True",
        (
            "tests/practice/oversight/test_backups.py::test_starting_a_backup_asks_for_a_fresh_proof",
            "tests/practice/privacy/test_pages.py::test_a_copy_and_an_erasure_ask_for_a_fresh_proof",
        ),
    ),
)
