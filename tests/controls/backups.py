"""Backups: whole and ours or refused, all of it or nothing, and nobody comes back from erasure."""

from tests.controls.control import Control

CONTAINER = "core/backup/container.py"
MAKING = "core/backup/making.py"
PLACES = "core/backup/places.py"
SETTLING = "core/backup/settling.py"
RESTORING = "core/backup/restoring.py"
CONSOLE = "practice/oversight/backups/operations.py"
FILES = "tests/core/backup/test_container.py"
WHOLE = "tests/core/backup/test_restoring.py"

CONTROLS = (
    Control(
        "a backup cannot be read without its key",
        "its chunks are written as they are",
        CONTAINER,
        "self._file.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._bond))",
        "self._file.write(chunk)",
        (f"{WHOLE}::test_nothing_of_the_street_is_in_the_bytes",),
    ),
    Control(
        "chunks keep their order",
        "every chunk has the same number",
        CONTAINER,
        'return number.to_bytes(11, "big") + bytes([last])',
        "return bytes(11) + bytes([last])",
        (f"{FILES}::test_chunks_cannot_change_places_or_be_left_out_or_doubled",),
    ),
    Control(
        "an end that was cut off is missed",
        "the last chunk is like any other",
        CONTAINER,
        'return number.to_bytes(11, "big") + bytes([last])',
        'return number.to_bytes(12, "big")',
        (f"{FILES}::test_no_end_can_be_cut_off_or_added",),
    ),
    Control(
        "the header belongs to the chunks",
        "the chunks are bound to nothing",
        CONTAINER,
        "return hashlib.sha256(head).digest()",
        'return b""',
        (f"{FILES}::test_no_byte_can_be_changed",),
    ),
    Control(
        "a backup is of one instant",
        "each table is read in a transaction of its own",
        "core/backup/tables.py",
        "rows = connection.execution_options(",
        "rows = connection.engine.connect().execution_options(",
        (f"{WHOLE}::test_a_backup_made_while_people_write_is_of_one_instant",),
    ),
    Control(
        "a backup has its name only when it is whole",
        "it is written under its final name",
        MAKING,
        'UNFINISHED = f"{FILE}.unfinished"',
        "UNFINISHED = FILE",
        (f"{WHOLE}::test_a_killed_backup_leaves_no_half_file_under_the_final_name",),
    ),
    Control(
        "a backup goes into an empty folder",
        "whatever is there is passed over",
        MAKING,
        "raise PlaceTaken from None\n        return False",
        "pass\n        return False",
        (f"{WHOLE}::test_a_backup_goes_into_an_empty_folder_only",),
    ),
    Control(
        "all is verified before anything is touched, and again as it is read",
        "what was read the second time is not compared",
        RESTORING,
        "if _fill(place.connection, reading, manifest.revision, tell) != manifest:",
        "_fill(place.connection, reading, manifest.revision, tell)\n    if False:",
        (f"{WHOLE}::test_another_file_in_the_place_of_the_verified_one_changes_nothing",),
    ),
    Control(
        "rows are not replaced by accident",
        "--replace is taken as said",
        PLACES,
        "        if not replace and not (known.readable and old is not None and _is_empty(old)):\n"
        "            raise NotEmpty\n",
        "",
        (f"{WHOLE}::test_a_database_with_rows_is_not_replaced_by_accident",),
    ),
    Control(
        "a database in use is left alone",
        "it is replaced under whoever uses it",
        PLACES,
        "except sqlite3.OperationalError:\n            raise InUse from None",
        "except sqlite3.OperationalError:\n            yield old",
        (f"{WHOLE}::test_a_database_that_somebody_uses_is_not_replaced",),
    ),
    Control(
        "a restore is one step",
        "the new database is built in the place of the old one",
        PLACES,
        'building = path.with_name(f"{path.name}.restoring")',
        "building = path",
        (f"{WHOLE}::test_a_killed_restore_leaves_the_old_database",),
    ),
    Control(
        "a restore erases again what the register says",
        "only what the replaced database knew",
        SETTLING,
        "written = erasures.lines_of(register)",
        "written: list[str] = []",
        (f"{WHOLE}::test_whoever_was_erased_since_yesterday_stays_unreadable",),
    ),
    Control(
        "a restore erases again what the replaced database knew",
        "only what the register says",
        SETTLING,
        "number = erasures.replay(session, [*written, *unwritten])",
        "number = erasures.replay(session, written)",
        (f"{WHOLE}::test_the_replaced_database_too_knows_who_was_erased",),
    ),
    Control(
        "a mail goes out once, whatever is restored",
        "what was sent since is forgotten",
        SETTLING,
        "for keys in _parts(known.mails):",
        "for keys in ():",
        (f"{WHOLE}::test_a_mail_that_went_out_since_does_not_go_out_again",),
    ),
    Control(
        "a restore signs everybody out",
        "browsers of before stay signed in",
        CONSOLE,
        "session.execute(browsers.values(ended_at=at))",
        "pass",
        (f"{WHOLE}::test_everybody_is_signed_out_and_old_links_are_dead",),
    ),
    Control(
        "the restored ledger leads to the recorded root",
        "its acts are not looked at",
        "core/backup/checking.py",
        "if _tree(session) != (newest.size, newest.root):",
        "if False:",
        (f"{WHOLE}::test_a_ledger_that_was_tampered_with_is_restored_with_a_warning",),
    ),
    Control(
        "a rehearsal leaves nothing behind",
        "its file keeps its name",
        PLACES,
        "        if unlinked:\n            path.unlink()\n",
        "",
        (
            f"{WHOLE}::test_a_rehearsal_changes_nothing_and_leaves_nothing",
            f"{WHOLE}::test_a_killed_rehearsal_leaves_nothing_to_read",
        ),
    ),
    Control(
        "a backup that takes long is made once",
        "another worker begins it too, and fails",
        CONSOLE,
        "    with alone_or_elsewhere(MAKE):\n",
        "    if payload:\n",
        (
            "tests/practice/oversight/test_backups.py"
            "::test_a_backup_that_outlives_its_lease_is_neither_made_twice_nor_called_failed",
        ),
    ),
    Control(
        "what is done one at a time is asked for once meanwhile",
        "as often as somebody likes",
        "core/outbox.py",
        "    return not is_open(session, kind) and post_next(",
        "    return post_next(",
        (
            "tests/practice/oversight/test_backups.py"
            "::test_asking_again_while_one_is_being_made_is_asking_once",
            "tests/practice/oversight/test_keys.py::test_asking_twice_is_asking_once",
        ),
    ),
    Control(
        "starting a backup needs a fresh proof",
        "none is asked for",
        "practice/oversight/backups/views.py",
        '@bp.post("/oversight/backups")\n@policy(is_administrator)\n@step_up\n',
        '@bp.post("/oversight/backups")\n@policy(is_administrator)\n',
        (
            "tests/practice/oversight/test_backups.py"
            "::test_starting_a_backup_asks_for_a_fresh_proof",
        ),
    ),
)
