"""The ledger: what was sealed cannot be changed unnoticed, and names nobody."""

from tests.controls.control import Control

LEDGER, SEALING = "core/ledger.py", "tests/core/test_ledger.py"
VERIFYING, TAMPERING = "core/verifying.py", "tests/core/test_verifying.py"
THOUSAND = f"{TAMPERING}::test_a_thousand_random_tamperings_are_all_found"
CHECKING, EDITS = "core/checking.py", "tests/core/test_checking.py"
COPIES, COPYING = "core/copies.py", "tests/practice/consent/test_copying.py"
MERKLE, TREES = "core/merkle.py", "tests/core/test_merkle.py"
CONSOLE = "tests/practice/oversight/test_ledger.py"

CONTROLS = (
    Control(
        "a leaf cannot pass for a node of the tree",
        "leaves are hashed without their prefix",
        MERKLE,
        'return hashlib.sha256(b"\\x00" + data).digest()',
        "return hashlib.sha256(data).digest()",
        (f"{TREES}::test_the_published_roots_come_out",),
    ),
    Control(
        "a tree that goes on from another is proved",
        "the old root is not compared",
        MERKLE,
        "return last == 0 and was == old_root and becomes == new_root",
        "return last == 0 and becomes == new_root",
        (f"{TREES}::test_a_consistency_proof_holds_between_a_tree_and_its_beginning",),
    ),
    Control(
        "each act is chained to the one before",
        "the chain on a line is not compared",
        VERIFYING,
        'if given["chain"] != self.chain.hex():',
        "if False:",
        (THOUSAND, f"{TAMPERING}::test_it_says_where_the_first_break_is"),
    ),
    Control(
        "size and root are signed",
        "the signature is not looked at",
        VERIFYING,
        "if not is_signed(public, checkpoint.signature, checkpoint_statement(checkpoint.plain)):",
        "if False:",
        (THOUSAND, f"{EDITS}::test_what_is_changed_in_the_ledger_itself_is_found"),
    ),
    Control(
        "the given key alone is believed",
        "the key that a file announces of itself is believed",
        VERIFYING,
        "if signer is None and not self.known and",
        "if signer is None and",
        (THOUSAND,),
    ),
    Control(
        "the end of the ledger cannot be cut off",
        "missing acts are not counted",
        VERIFYING,
        "if ledger.frontier.size < opening.size:",
        "if False:",
        (f"{TAMPERING}::test_it_says_where_the_first_break_is",),
    ),
    Control(
        "there is one way to write a line",
        "white space and other orders are let through",
        "core/canonical.py",
        "if canonical(value) == data:",
        "if canonical(value):",
        (THOUSAND,),
    ),
    Control(
        "an older export must be the beginning",
        "the older root is not compared",
        VERIFYING,
        "if (since.root, since.chain) != (ledger.frontier.root(), ledger.chain):",
        "if False:",
        (
            f"{TAMPERING}"
            "::test_a_history_rewritten_by_the_one_with_the_key_does_not_begin_with_the_old_one",
        ),
    ),
    Control(
        "what is sealed next is what is not sealed yet",
        "only rows after the last sealed one are sealed",
        LEDGER,
        "AuditEntry.sealed_as.is_(None), ~known.exists())",
        "AuditEntry.id > sa.select(sa.func.coalesce(sa.func.max(LedgerEntry.entry_id), 0))"
        ".scalar_subquery())",
        (f"{SEALING}::test_a_row_that_commits_late_is_sealed_although_its_id_is_small",),
    ),
    Control(
        "sealing is one transaction",
        "the tree is committed before its checkpoint",
        LEDGER,
        "        _mark_sealed(session, self.entries)",
        "        _mark_sealed(session, self.entries)\n        session.connection().commit()",
        (f"{SEALING}::test_a_killed_sealer_leaves_nothing_half",),
    ),
    Control(
        "the ledger names nobody",
        "ids stand in it as they are",
        "core/audit.py",
        'return hmac.digest(derived("pseudonym"), named, "sha256").hex()',
        "return str(public_id)",
        (
            f"{SEALING}::test_what_is_sealed_names_nobody",
            f"{COPYING}::test_an_export_tells_which_text_was_signed_and_not_by_whom",
        ),
    ),
    Control(
        "an export links no two acts of a person",
        "a person has one pseudonym everywhere",
        "core/audit.py",
        'named = f"{place}\\0".encode() + entry.bytes + public_id.bytes',
        'named = f"{place}\\0".encode() + public_id.bytes',
        (f"{SEALING}::test_the_same_person_has_another_pseudonym_in_every_act",),
    ),
    Control(
        "a row edited in the database is found",
        "rows are not compared with what was sealed",
        CHECKING,
        "if now.get(name) != sealed.act.get(name)",
        "if False",
        (
            f"{EDITS}::test_a_changed_row_is_named_with_what_was_changed_in_it",
            f"{CONSOLE}::test_a_row_that_is_not_as_sealed_is_shown_plainly",
        ),
    ),
    Control(
        "a row is not hidden by making it look erased",
        "blanked rows are not accounted for",
        CHECKING,
        'if (details.get("rows_digest"), details.get("vouched")) != (digest, vouched(digest)):',
        "if False:",
        (f"{SEALING}::test_rows_are_not_hidden_by_making_them_look_erased",),
    ),
    Control(
        "an act of blanking is vouched for",
        "an act of blanking is believed whoever wrote it",
        CHECKING,
        'if (details.get("rows_digest"), details.get("vouched")) != (digest, vouched(digest)):',
        'if details.get("rows_digest") != digest:',
        (f"{EDITS}::test_whoever_can_only_write_to_the_database_cannot_pass_a_row_off_as_erased",),
    ),
    Control(
        "an erasure keeps what the seal needs",
        "a blanked row is computed from what is left",
        LEDGER,
        "if public_id is None and entry.blanked_by is not None:",
        "if False:",
        (f"{SEALING}::test_an_erasure_blanks_the_ids_and_the_chain_still_holds",),
    ),
    Control(
        "a retired key can sign no more",
        "its secret is kept",
        "core/signing.py",
        'row.secret, row.retired_at = "", at',
        "row.retired_at = at",
        (f"{SEALING}::test_a_retired_key_can_sign_no_more_and_is_still_published",),
    ),
    Control(
        "the words of a copy are the words that were signed",
        "the text is not compared with its fingerprint",
        COPIES,
        'if hashlib.sha256(copy["text"].encode()).hexdigest() != facts["text_hash"]:',
        "if False:",
        (f"{COPYING}::test_one_changed_word_in_the_text_fails",),
    ),
    Control(
        "the page of a copy is the page of its data",
        "the page is not made again",
        COPIES,
        "if page is not None and readable(copy).encode() != data:",
        "if False:",
        (
            f"{COPYING}::test_one_changed_word_in_the_text_fails",
            f"{COPYING}::test_three_hundred_random_changes_of_a_copy_are_all_found",
        ),
    ),
    Control(
        "how it was signed is what was sealed",
        "the facts of a copy are not compared",
        COPIES,
        'if details["evidence"] != digest(facts):',
        "if False:",
        (
            f"{COPYING}::test_one_changed_word_in_the_text_fails",
            f"{COPYING}::test_a_signature_changed_in_the_database_gives_no_copy",
        ),
    ),
    Control(
        "the ledger holds the act of a copy",
        "the proof is not followed to the signed root",
        VERIFYING,
        "if not includes(checkpoint.root, checkpoint.size, index, leaf, proof):",
        "if False:",
        (f"{COPYING}::test_the_bare_data_is_checked_as_well",),
    ),
    Control(
        "downloading the ledger asks for a fresh proof",
        "an old proof will do",
        "practice/oversight/ledger/views.py",
        "@step_up\ndef download_ledger() -> Page:",
        "def download_ledger() -> Page:",
        (f"{CONSOLE}::test_the_download_asks_for_a_fresh_proof",),
    ),
)
