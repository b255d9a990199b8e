"""Encryption: sealed where it belongs, opened nowhere else, gone with its key, new keys in time."""

from tests.controls.control import Control

SEALING = "core/sealing.py"
KEYS = "core/keys.py"
ENCRYPTION = "core/encryption.py"
ROTATION = "core/rotation.py"
KEEPING = "core/keeping.py"
COLUMNS = "tests/core/test_encryption.py"
ROTATING = "tests/core/test_rotation.py"

CONTROLS = (
    Control(
        "a value opens in its own row and column alone",
        "only its owner is authenticated with it",
        SEALING,
        'return f"{self.table}.{self.column}\\0".encode() + self.owner.bytes + self.row.bytes',
        "return self.owner.bytes",
        (f"{COLUMNS}::test_a_value_pasted_into_another_row_of_the_same_person_does_not_open",),
    ),
    Control(
        "a row that was moved to somebody else does not open",
        "the owner is believed from the key",
        ENCRYPTION,
        "if key.owner != owner or key.realm != self.realm:",
        "owner = key.owner\n        if key.realm != self.realm:",
        (f"{COLUMNS}::test_a_whole_row_moved_to_somebody_else_does_not_open",),
    ),
    Control(
        "what was not sealed cannot be stored",
        "any bytes are taken",
        ENCRYPTION,
        "if value is not None and not value.startswith(sealing.VERSION):",
        "if value is None and False:",
        (f"{COLUMNS}::test_a_value_that_was_not_sealed_cannot_reach_the_database",),
    ),
    Control(
        "a destroyed key is gone at once in every process",
        "keys are kept from one transaction to the next",
        KEYS,
        "    if transaction.parent is None:\n        forget(session)",
        "    pass",
        (f"{COLUMNS}::test_no_key_outlives_its_transaction",),
    ),
    Control(
        "a key that was rolled back is not used again",
        "keys are remembered across a savepoint's end",
        KEYS,
        "    # A key that was made after a savepoint is not there any more.\n    forget(session)",
        "    pass",
        (f"{COLUMNS}::test_a_key_made_after_a_savepoint_that_was_undone_is_not_used_again",),
    ),
    Control(
        "lengths are hidden within a bucket",
        "values are not padded",
        SEALING,
        "return plain + _END + bytes(-(len(plain) + 1) % BUCKET)",
        "return plain + _END",
        (f"{COLUMNS}::test_lengths_tell_nothing_within_a_bucket",),
    ),
    Control(
        "a wrapped key belongs to its row",
        "wrapped keys are bound to nothing",
        SEALING,
        'return f"data key {realm}\\0".encode() + owner.bytes + key_id',
        'return b"data key"',
        (
            "tests/core/test_keys.py"
            "::test_a_wrapped_key_moved_to_another_owner_does_not_open_what_it_sealed",
        ),
    ),
    Control(
        "a rotation loses nothing that is written meanwhile",
        "old keys are deleted without asking who uses them",
        ROTATION,
        "unused = found - _used(session, found)",
        "unused = found",
        (f"{ROTATING}::test_a_value_that_does_not_open_is_left_with_its_key_and_counted",),
    ),
    Control(
        "a rotation leaves nothing on an old key",
        "rows are not sealed again",
        ROTATION,
        "    unreadable = yield from _leave_old_keys()\n    left, moved =",
        "    unreadable = 10**9\n    left, moved =",
        (f"{ROTATING}::test_every_key_is_new_and_everything_reads_as_before",),
    ),
    Control(
        "a rotation that is held up ends",
        "it looks again for ever, until somebody ends it",
        ROTATION,
        "elif time.monotonic() - moved > PATIENCE:",
        "elif time.monotonic() - moved > 100 * PATIENCE:\n            return\n        elif False:",
        (f"{ROTATING}::test_a_rotation_that_somebody_holds_up_says_so_and_goes_on_the_next_time",),
    ),
    Control(
        "an old key is left even by who has no other",
        "values without a key to go to stay on the old one",
        ROTATION,
        "active = keys.sealing_keys(session,",
        "active = keys.active(session,",
        (f"{ROTATING}::test_an_old_key_whose_owner_has_no_other_is_replaced_all_the_same",),
    ),
    Control(
        "keys are made once, whoever starts first",
        "the file is written anew by whoever comes",
        KEEPING,
        "        with suppress(FileExistsError):\n            os.link(file.name, path)",
        "        path.unlink(missing_ok=True)\n        os.link(file.name, path)",
        ("tests/core/test_keeping.py::test_processes_that_start_at_once_share_their_keys",),
    ),
    Control(
        "keys that others may read are not used",
        "any mode will do",
        KEEPING,
        "        if mode & OTHERS:",
        "        if False:",
        (
            "tests/core/test_keeping.py::test_keys_that_others_may_read_are_refused_in_one_line",
            "tests/core/test_keeping.py::test_of_our_own_keys_each_one_must_be_its_owners_alone",
        ),
    ),
    Control(
        "the database's file is its owner's alone",
        "it is made as the machine makes files",
        "practice/app.py",
        "    keep_private(settings.database_url)\n",
        "",
        (
            "tests/core/test_database.py"
            "::test_the_file_its_log_and_its_folder_are_their_owners_alone",
        ),
    ),
    Control(
        "no column of a table is forgotten",
        "a client's telephone number stands in the clear",
        "practice/accounts/models.py",
        '    phone = sealed_text(Realm.record, owner="")',
        '    phone: Mapped[str] = mapped_column(sa.String(40), default="")',
        ("tests/conventions/test_encryption.py::test_every_column_stands_in_one_of_the_lists",),
    ),
    Control(
        "what was in the clear leaves the file",
        "the file is not written anew after sealing",
        "core/migrating.py",
        "        write_anew_if_owed(connection)\n",
        "        pass\n",
        ("tests/core/test_sealing_over.py::test_none_of_it_is_left_in_the_files",),
    ),
    Control(
        "what migrations sealed is opened on the way back",
        "answers and names stay sealed, in columns that go",
        "migrations/versions/0025_seal_what_clients_told_us.py",
        '    op.get_context().config.attributes["sealer"].open(*SEALED)',
        "    pass",
        ("tests/core/test_there_and_back.py::test_up_down_and_up_again_nothing_is_lost",),
    ),
)
