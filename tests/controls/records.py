"""What is kept: sealed, provable, backed up, and erased for good."""

from tests.controls.control import Control

SEALING = "core/sealing.py"
ENCRYPTION_TESTS = "tests/core/test_encryption.py"
KEY_TESTS = "tests/core/test_keys.py"
VERIFYING = "core/verifying.py"
VERIFYING_TESTS = "tests/core/test_verifying.py"
LEDGER_TESTS = "tests/core/test_ledger.py"
ONCE_TESTS = "tests/practice/test_append_only.py"
ERASING_TESTS = "tests/practice/privacy/test_erasing.py"

CONTROLS = (
    Control(
        "a sealed value opens only where it belongs",
        "table, column, owner and row are left out",
        SEALING,
        'return f"{self.table}.{self.column}\\0".encode() + self.owner.bytes + self.row.bytes',
        'return b""',
        (
            f"{ENCRYPTION_TESTS}"
            "::test_a_value_pasted_into_another_row_of_the_same_person_does_not_open",
        ),
    ),
    Control(
        "lengths tell nothing within a bucket",
        "nothing is padded",
        SEALING,
        "return plain + _END + bytes(-(len(plain) + 1) % BUCKET)",
        "return plain + _END",
        (f"{ENCRYPTION_TESTS}::test_lengths_tell_nothing_within_a_bucket",),
    ),
    Control(
        "a destroyed key takes what was read before with it",
        "unwrapped keys are remembered",
        "core/keys.py",
        "    forget(session)\n    for row in session.identity_map.values():",
        "    for row in ():",
        (f"{ENCRYPTION_TESTS}::test_what_was_read_before_is_gone_in_the_same_session",),
    ),
    Control(
        "a destroyed key takes everything of its realm and nothing else",
        "keys are only marked",
        "core/keys.py",
        "    while deleted := _deleted(session, theirs):\n        gone += deleted",
        "    gone = 1",
        (
            f"{ENCRYPTION_TESTS}"
            "::test_a_destroyed_key_takes_everything_of_its_realm_and_nothing_else",
            f"{KEY_TESTS}::test_keys_are_destroyed_for_one_realm_or_for_all",
        ),
    ),
    Control(
        "every line of an export follows from the one before",
        "the chain is not compared",
        VERIFYING,
        'if given["chain"] != self.chain.hex():',
        "if False:",
        (f"{VERIFYING_TESTS}::test_it_says_where_the_first_break_is",),
    ),
    Control(
        "an export ends at the signed root",
        "root and size are not compared",
        VERIFYING,
        "_require_signed_end(opening, ledger)",
        "pass",
        (f"{VERIFYING_TESTS}::test_a_thousand_random_tamperings_are_all_found",),
    ),
    Control(
        "size and root are signed by a key that is known",
        "signatures are not verified",
        VERIFYING,
        "    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)",
        "    Ed25519PublicKey.from_public_bytes(public)",
        (f"{VERIFYING_TESTS}::test_a_thousand_random_tamperings_are_all_found",),
    ),
    Control(
        "an older export is the beginning of a newer one",
        "the beginnings are not compared",
        VERIFYING,
        "_require_same_beginning(since, ledger)",
        "pass",
        (
            f"{VERIFYING_TESTS}::test_an_older_export_must_be_the_beginning",
            f"{VERIFYING_TESTS}"
            "::test_a_history_rewritten_by_the_one_with_the_key_does_not_begin_with_the_old_one",
        ),
    ),
    Control(
        "every act is sealed, also one that committed late",
        "the sealer goes on from the highest id",
        "core/ledger.py",
        ".where(AuditEntry.sealed_as.is_(None), ~known.exists())",
        ".where(AuditEntry.sealed_as.is_(None), ~known.exists(), AuditEntry.id > "
        "sa.select(sa.func.coalesce(sa.func.max(LedgerEntry.entry_id), 0)).scalar_subquery())",
        (f"{LEDGER_TESTS}::test_a_row_that_commits_late_is_sealed_although_its_id_is_small",),
    ),
    Control(
        "what was written once is not changed",
        "changed rows go through",
        "practice/append_only.py",
        "if any(state.attrs[name].history.has_changes() for name in frozen):",
        "if False:",
        (f"{ONCE_TESTS}::test_what_was_written_once_cannot_be_changed",),
    ),
    Control(
        "what was written once is not deleted",
        "rows can be deleted",
        "practice/append_only.py",
        "if model in WRITTEN_ONCE and not session.info.get(_KEPT_LONG_ENOUGH):",
        "if False:",
        (
            f"{ONCE_TESTS}::test_a_row_cannot_be_deleted",
            f"{ONCE_TESTS}::test_no_statement_over_many_rows_does_it_either",
        ),
    ),
    Control(
        "erasing destroys the key of what may go",
        "the key stays",
        "practice/privacy/forgetting.py",
        "erase(session, client.public_id, Realm.personal, at)",
        "pass",
        (f"{ERASING_TESTS}::test_what_may_go_is_gone_and_what_was_sealed_opens_nowhere",),
    ),
    Control(
        "under a legal hold nothing is deleted",
        "holds are not looked at",
        "practice/privacy/forgetting.py",
        "if not is_held(session, client):",
        "if True:",
        (f"{ERASING_TESTS}::test_under_a_legal_hold_everything_is_locked_and_nothing_deleted",),
    ),
)
