"""What people typed, the address they sign in with, a lost second step, and where tries count."""

from tests.controls.control import Control

KEEPING = "practice/accounts/keeping.py"
ADDRESSES = "practice/accounts/addresses.py"
RESETS = "practice/accounts/factor_resets.py"
COUNTERS = "practice/accounts/counters.py"
PROVING = "tests/practice/accounts/test_proving.py"
ADDRESS_TESTS = "tests/practice/accounts/test_addresses.py"
RESET_TESTS = "tests/practice/accounts/test_factor_resets.py"
COUNTER_TESTS = "tests/practice/accounts/test_counters.py"

CONTROLS = (
    Control(
        "what was typed is kept unreadable",
        "it is kept as it is",
        KEEPING,
        "return nonce + AESGCM(key).encrypt(nonce, plain, row.public_id.bytes)",
        "return nonce + plain",
        (f"{PROVING}::test_nothing_readable_of_it_is_in_the_database",),
    ),
    Control(
        "what was typed is for its owner alone",
        "anybody on this browser finds it",
        KEEPING,
        "KeptForm.public_id == public_id, KeptForm.user_id == user.id, KeptForm.expires_at > now()",
        "KeptForm.public_id == public_id, KeptForm.expires_at > now()",
        (f"{PROVING}::test_neither_another_browser_nor_another_person_reads_it",),
    ),
    Control(
        "what was typed is kept for half an hour",
        "it is kept for good",
        KEEPING,
        "KeptForm.user_id == user.id, KeptForm.expires_at > now()",
        "KeptForm.user_id == user.id",
        (f"{PROVING}::test_it_is_kept_for_half_an_hour_to_the_second",),
    ),
    Control(
        "passwords and codes are never kept",
        "everything is",
        KEEPING,
        "for name, value in pairs if name not in NEVER_KEPT]",
        "for name, value in pairs]",
        (f"{PROVING}::test_passwords_and_codes_are_never_kept",),
    ),
    Control(
        "a proof gives the browser a new token",
        "the old one stays good",
        "practice/accounts/signing_in.py",
        "    row.token_hash = token_hash(token)\n    row.proved_at",
        "    db.session.add(SignInSession(token_hash=token_hash(token), user_id=row.user_id, "
        "created_at=at, last_seen_at=at, proved_at=at, idle_until=row.idle_until, "
        "expires_at=row.expires_at))\n    row.proved_at",
        (f"{PROVING}::test_the_cookie_from_before_the_proof_opens_nothing",),
    ),
    Control(
        "looking at the time left keeps nobody signed in",
        "it counts as being there",
        "practice/accounts/signing_in.py",
        '"styles.sheet", "accounts.time_left"})',
        '"styles.sheet"})',
        (f"{PROVING}::test_the_open_page_learns_how_long_is_left_without_putting_it_off",),
    ),
    Control(
        "the old address takes an account back from a thief",
        "what the thief added stays",
        ADDRESSES,
        "removed = remove(session, user, newer)",
        "removed = 0",
        (f"{ADDRESS_TESTS}::test_the_old_address_takes_the_account_back_from_a_thief",),
    ),
    Control(
        "a mailbox alone takes no second factor that was there before",
        "the password of before is not asked for",
        "practice/accounts/account_views.py",
        "form.old_password.errors = [NOT_THE_OLD_ONE]",
        "pass",
        (
            f"{ADDRESS_TESTS}"
            "::test_without_it_nothing_of_before_goes_so_a_mailbox_alone_takes_no_second_factor",
        ),
    ),
    Control(
        "only an account that was taken back loses second factors to a link",
        "any link for a new password will do",
        "practice/accounts/account_views.py",
        "if not addresses.is_taken_back(owner):",
        "if False:",
        (f"{ADDRESS_TESTS}::test_a_forgotten_password_opens_no_page_on_which_second_factors_go",),
    ),
    Control(
        "staff keep a second factor when an account is taken back",
        "all may go",
        ADDRESSES,
        "if keys and user.is_staff and not any(one.is_factor for one in kept):",
        "if False:",
        (f"{ADDRESS_TESTS}::test_staff_keep_one_second_factor_whatever_the_mailbox_says",),
    ),
    Control(
        "the address that is replaced hears of it",
        "nobody is told",
        ADDRESSES,
        "mails.send_address_taken_back(session, replaced, user, at)",
        "pass",
        (f"{ADDRESS_TESTS}::test_the_address_that_is_replaced_is_told",),
    ),
    Control(
        "a thief cannot void the link that undoes",
        "a new password voids it",
        "practice/accounts/tokens.py",
        "_void(session, user, EmailToken.purpose.not_in(UNDOES), at)",
        "_void(session, user, sa.true(), at)",
        (f"{ADDRESS_TESTS}::test_a_second_change_and_a_new_password_do_not_keep_the_owner_out",),
    ),
    Control(
        "a mistyped address gives its reader no account",
        "whoever has the link confirms",
        "practice/accounts/account_views.py",
        "if owner.id != current_user.user.id:",
        "if False:",
        (f"{ADDRESS_TESTS}::test_nobody_but_who_asked_confirms_a_new_address",),
    ),
    Control(
        "nobody keeps the owner of an address out",
        "an account that nobody confirmed does",
        ADDRESSES,
        "    _free(session, change.old_email, at)\n",
        "",
        (f"{ADDRESS_TESTS}::test_nobody_keeps_the_owner_out_by_signing_up_with_the_old_address",),
    ),
    Control(
        "two people remove a second step",
        "whoever asked may confirm",
        RESETS,
        "two_people.require_two(session, reset.asked_by, actor, at)",
        "pass",
        (f"{RESET_TESTS}::test_whoever_asked_cannot_confirm",),
    ),
    Control(
        "a second step goes after a day in which its owner can object",
        "it goes at once",
        RESETS,
        "FactorResetState.confirmed, FactorReset.due_at <= at)",
        "FactorResetState.confirmed)",
        (
            f"{RESET_TESTS}"
            "::test_one_asks_another_confirms_and_after_a_day_the_password_alone_signs_in",
        ),
    ),
    Control(
        "tries that Redis cannot count are refused",
        "they pass",
        COUNTERS,
        "        except redis.RedisError as error:\n            raise StoreAway from error\n"
        "        if not added:",
        "        except redis.RedisError:\n            return\n        if not added:",
        (
            f"{COUNTER_TESTS}::test_while_redis_is_away_nobody_signs_in_and_the_page_says_so",
            f"{COUNTER_TESTS}::test_a_store_that_is_away_says_so",
        ),
    ),
    Control(
        "tries at the same moment are all counted in Redis",
        "the limit is not looked at",
        COUNTERS,
        "then return 0 end",
        "then break end",
        (f"{COUNTER_TESTS}::test_tries_at_the_same_moment_do_not_slip_through",),
    ),
    Control(
        "known and unknown addresses do the same work before the answer",
        "a known one gets its mail at once",
        "practice/accounts/letters.py",
        '    _post(session, FORGOTTEN, {"email": email}, at)\n',
        "    operations.forget_password(session, email, at)\n",
        (
            "tests/practice/accounts/test_who_has_an_account.py"
            "::test_known_and_unknown_write_the_same_rows_before_the_answer",
        ),
    ),
)
