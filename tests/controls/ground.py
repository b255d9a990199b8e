"""What the ground holds: logs without words, references, texts that stay, words that never run."""

from tests.controls.control import Control

LOGS = "core/logs.py"
LOG_TESTS = "tests/core/test_logs.py"
IDS = "core/request_ids.py"
ID_TESTS = "tests/core/test_request_log.py"
ONCE = "practice/append_only.py"
ONCE_TESTS = "tests/practice/test_append_only.py"
SCRIPT_TESTS = "tests/journeys/test_stored_script.py"
ROUND_TESTS = "tests/core/test_rounds.py"
AT_ONCE_TESTS = "tests/core/test_rounds_at_once.py"

CONTROLS = (
    Control(
        "work that comes round is done by one process at a time",
        "whoever has it begins",
        "core/alone.py",
        "        if not is_alone:\n            raise Elsewhere\n",
        "",
        (
            f"{AT_ONCE_TESTS}::test_what_a_killed_process_had_begun_another_begins_again",
            f"{ROUND_TESTS}::test_while_another_process_is_at_it_nobody_else_begins",
            "tests/practice/oversight/test_ledger.py"
            "::test_a_check_that_outlives_its_lease_is_neither_repeated_nor_given_up",
        ),
    ),
    Control(
        "work that comes round is done once, whoever takes it over",
        "it is done again",
        "core/rounds.py",
        '            if not self._was_done_since(datetime.fromisoformat(payload["asked_at"])):\n',
        "            if payload:\n",
        (
            f"{AT_ONCE_TESTS}::test_what_a_killed_process_had_done_is_not_done_again",
            "tests/practice/oversight/test_fairness.py"
            "::test_a_count_that_outlived_its_lease_is_not_repeated",
        ),
    ),
    Control(
        "of two who find at once that work is to begin one begins it",
        "each posts it under a name of its own",
        "core/outbox.py",
        'dedupe_key=f"{kind}:after:{after}"',
        'dedupe_key=f"{kind}:{uuid.uuid4()}"',
        (f"{AT_ONCE_TESTS}::test_of_two_processes_that_find_it_due_at_once_one_begins_it",),
    ),
    Control(
        "a count is asked for by hand once a day",
        "as often as somebody likes",
        "core/rounds.py",
        "        if self._free_from(session, at) is not None:\n            raise AskedLately\n",
        "",
        (
            f"{ROUND_TESTS}::test_it_can_be_asked_for_once_a_day_and_the_page_knows_when_again",
            "tests/practice/outcomes/test_switch.py"
            "::test_the_lead_asks_for_a_count_once_a_day_and_reads_when_again",
        ),
    ),
    Control(
        "work that was given up rests for a day",
        "every sweep begins it again",
        "core/rounds.py",
        "        return not rests and not is_open",
        "        return not is_open",
        (
            f"{ROUND_TESTS}"
            "::test_what_was_given_up_is_begun_again_a_day_later_and_not_at_every_sweep",
        ),
    ),
    Control(
        "noise is drawn under a key of the installation",
        "under a word that everybody can read",
        "core/noise.py",
        'derived("noise")',
        'b"noise"',
        ("tests/core/test_noise.py::test_nobody_without_the_key_can_work_it_out",),
    ),
    Control(
        "a field of a log takes no sentence",
        "an error is logged by any text",
        LOGS,
        '    "error": _class_of_error,',
        '    "error": str,',
        (
            f"{LOG_TESTS}::test_no_field_takes_a_sentence",
            f"{LOG_TESTS}::test_a_value_of_another_shape_is_refused_without_being_named",
        ),
    ),
    Control(
        "what libraries say is cut down",
        "their words are written as they are",
        LOGS,
        "        error = record.exc_info[1] if record.exc_info else None",
        "        return super().format(record)",
        (
            f"{LOG_TESTS}::test_what_a_library_says_is_cut_down_to_who_spoke",
            "tests/practice/test_server_log.py::test_the_servers_own_log_holds_nothing_of_a_request",
        ),
    ),
    Control(
        "an error that nobody caught is not printed",
        "the interpreter's own way is kept",
        LOGS,
        "    sys.excepthook = _note_uncaught",
        "",
        (f"{LOG_TESTS}::test_an_error_that_nobody_caught_is_written_by_class_and_place",),
    ),
    Control(
        "a log names the kind of address, never the address",
        "the address is written",
        LOGS,
        "        return value.rule",
        '        return __import__("flask").request.full_path',
        (f"{ID_TESTS}::test_a_request_is_one_line_with_its_kind_and_never_its_address",),
    ),
    Control(
        "nobody outside chooses a request's reference",
        "any reference is taken",
        IDS,
        '    return given if trusted and SHAPE.fullmatch(given) else ""',
        "    return given",
        (
            f"{ID_TESTS}::test_a_reference_from_outside_is_ignored_without_a_proxy_of_ours",
            f"{ID_TESTS}::test_a_proxys_reference_must_have_the_shape_of_one",
        ),
    ),
    Control(
        "what was signed is never rewritten",
        "the guard of changed rows left out",
        ONCE,
        "            raise Rewriting(type(row).__name__)",
        "            pass",
        (f"{ONCE_TESTS}::test_what_was_written_once_cannot_be_changed",),
    ),
    Control(
        "what was signed is never deleted",
        "the guard of deleted rows left out",
        ONCE,
        "    if model in WRITTEN_ONCE and not session.info.get(_KEPT_LONG_ENOUGH):",
        "    if False:",
        (
            f"{ONCE_TESTS}::test_a_row_cannot_be_deleted",
            f"{ONCE_TESTS}::test_no_statement_over_many_rows_does_it_either",
        ),
    ),
    Control(
        "everybody whom a newer text concerns is told once",
        "who has signed the newer text is told too",
        "practice/consent/renewing.py",
        "        .where(document.version < before, ~taken_back.exists(), ~replaced.exists())",
        "        .where(document.version < before)",
        (
            "tests/practice/consent/test_renewing.py"
            "::test_everybody_who_agreed_counts_once_and_nobody_else_does",
            "tests/practice/consent/test_renewing.py"
            "::test_whoever_has_signed_the_new_words_is_not_asked_again",
        ),
    ),
    Control(
        "what people write is text on every page",
        "a group's title is taken for HTML",
        "templates/groups/catalogue.html",
        "{{ group.title }}</a></h2>",
        "{{ group.title|safe }}</a></h2>",
        (f"{SCRIPT_TESTS}::test_nothing_that_anybody_writes_runs_on_any_page",),
    ),
    Control(
        "a page kept by the browser is asked for anew",
        "shown again as it was",
        "static/js/attune.js",
        '  if (!event.persisted || !document.querySelector("[data-private]")) return;',
        "  return;",
        (
            "tests/journeys/test_leaving.py::test_a_page_that_the_browser_had_kept_is_asked_for_anew",
        ),
    ),
    Control(
        "what belongs together is kept together or not at all",
        "each row is kept as it is written",
        "core/database.py",
        '        session.connection(execution_options={"writes": True})',
        '        session.connection(execution_options={"writes": True}).exec_driver_sql("COMMIT")',
        (
            "tests/journeys/test_killed_at_each_step.py"
            "::test_killed_anywhere_nothing_is_half_done_lost_or_done_twice",
        ),
    ),
    Control(
        "work that was given up stays counted until it is done",
        "any later work of its kind is taken for it",
        "core/outbox.py",
        "return sa.and_(sa.or_(comes_round, OutboxMessage.kind.in_(kinds)), was_done)",
        "return was_done",
        (
            "tests/practice/oversight/test_set_aside.py"
            "::test_another_mail_that_was_sent_is_not_the_one_that_failed",
        ),
    ),
)
