"""The client's rights: forgotten means forgotten, what stays is known, a copy holds only theirs."""

from tests.controls.control import Control

ERASING = "tests/practice/privacy/test_erasing.py"
PAGES = "tests/practice/privacy/test_pages.py"
COPY = "tests/practice/privacy/test_copy.py"
SCHEDULE = "tests/practice/privacy/test_schedule.py"
REGISTER = "tests/core/test_erasures.py"
FAIRNESS = "tests/practice/oversight/test_fairness.py"
ROOM = "practice/privacy"

CONTROLS = (
    Control(
        "the list of what must be kept is not read in silence",
        "nothing is written down",
        "practice/privacy/views/kept.py",
        "if clients:",
        "if False:",
        (
            "tests/practice/privacy/test_kept.py::test_each_look_is_one_row_that_names_whom_it_showed",
            "tests/practice/privacy/test_kept.py::test_no_row_no_page",
        ),
    ),
    Control(
        "the list of what must be kept leaves out one's own",
        "the custodian finds themselves",
        "practice/privacy/kept.py",
        "return table.client_id.not_in(own)",
        "return sa.true()",
        ("tests/practice/privacy/test_kept.py::test_nobody_is_the_custodian_of_their_own_record",),
    ),
    Control(
        "erasing destroys the key of what was told",
        "the rows go, the key stays",
        f"{ROOM}/forgetting.py",
        "    erase(session, client.public_id, Realm.personal, at)\n",
        "",
        (f"{ERASING}::test_what_may_go_is_gone_and_what_was_sealed_opens_nowhere",),
    ),
    Control(
        "what the law keeps stays",
        "records of care go with the rest",
        f"{ROOM}/keeping.py",
        "    _keep_care(session, client, at, stays)\n    _keep_groups",
        "    _keep_groups",
        (f"{ERASING}::test_what_the_law_keeps_stays_closed_with_its_day_and_its_reason",),
    ),
    Control(
        "an open worry keeps a way to reach the person",
        "the address goes at once",
        f"{ROOM}/keeping.py",
        '            stays.add("account", client.user_id, Stay(Because.open_flag, None))\n',
        "            pass\n",
        (f"{ERASING}::test_an_open_worry_keeps_a_way_to_reach_them_until_it_is_closed",),
    ),
    Control(
        "a legal hold stops an erasure",
        "nobody asks whether one stands",
        f"{ROOM}/keeping.py",
        "    return session.scalar(standing) is not None",
        "    return False",
        (f"{ERASING}::test_under_a_legal_hold_everything_is_locked_and_nothing_deleted",),
    ),
    Control(
        "names leave the log",
        "the log keeps whose acts they were",
        f"{ROOM}/deleting.py",
        "    blank(session, person, at=at, spares=lambda row: _was_for_others(row, person))\n",
        "",
        (f"{ERASING}::test_names_leave_the_log_and_its_lines_stay",),
    ),
    Control(
        "what somebody did for others while they worked here stays in the log",
        "their name leaves every row",
        f"{ROOM}/deleting.py",
        "row.actor_role in STAFF_ROLES and not named & person",
        "False and named",
        (f"{ERASING}::test_of_whoever_worked_here_once_an_empty_shell_stays",),
    ),
    Control(
        "whoever worked here once can be erased",
        "their row has to go although others name it",
        f"{ROOM}/deleting.py",
        "    return any(session.scalar(query) for query in named)",
        "    return False and any(named)",
        (f"{ERASING}::test_of_whoever_worked_here_once_an_empty_shell_stays",),
    ),
    Control(
        "every way in is deleted",
        "browsers, passkeys and links stay",
        f"{ROOM}/deleting.py",
        "    for table in SIGN_IN_TABLES:",
        "    for table in ():",
        (f"{ERASING}::test_every_browser_is_signed_out_and_the_account_opens_no_more",),
    ),
    Control(
        "nothing is erased that was not shown",
        "another refund than the page said is taken",
        f"{ROOM}/operations.py",
        "        raise PlanChanged",
        "        pass",
        (f"{ERASING}::test_money_goes_back_by_the_groups_rule_and_only_as_it_was_shown",),
    ),
    Control(
        "erasing asks for a typed word",
        "any word will do",
        f"{ROOM}/forms.py",
        '        AnyOf([WORD], f"That is another word. Please type {WORD}.")(self, field)',
        "        AnyOf([field.data])(self, field)",
        (f"{PAGES}::test_another_word_erases_nothing",),
    ),
    Control(
        "a copy asks for a fresh proof",
        "an open browser is enough",
        f"{ROOM}/views/rights.py",
        '@bp.post("/your-data/copy")\n@policy(is_client)\n@step_up\n',
        '@bp.post("/your-data/copy")\n@policy(is_client)\n',
        (f"{PAGES}::test_a_copy_and_an_erasure_ask_for_a_fresh_proof",),
    ),
    Control(
        "an erasure's page soon tells no kinds of record",
        "it tells them for ever",
        f"{ROOM}/views/rights.py",
        "        in_full=at - request.done_at < TOLD_IN_FULL,",
        "        in_full=True,",
        (f"{PAGES}::test_erasing_signs_out_to_a_page_that_says_what_happened",),
    ),
    Control(
        "a copy holds no clinician's notes",
        "closing notes are packed in",
        f"{ROOM}/copying.py",
        '{"written_at": _iso(note.written_at)}',
        '{"written_at": note.words}',
        (f"{COPY}::test_every_secret_of_theirs_is_in_it_and_nobody_elses",),
    ),
    Control(
        "every table about people is explained",
        "lists of matches are not told of",
        f"{ROOM}/holdings.py",
        'tables=("proposals", "match_alerts", ',
        'tables=("match_alerts", ',
        (
            "tests/conventions/test_holdings.py"
            "::test_every_table_about_people_is_in_one_holding_or_listed_with_a_reason",
        ),
    ),
    Control(
        "nothing goes before its day",
        "what is over in a month goes today",
        f"{ROOM}/schedule.py",
        "return [key for key, due_at in found if due_at <= at][:MOST_AT_ONCE]",
        "return [key for key, due_at in found if due_at <= at + SOON][:MOST_AT_ONCE]",
        (f"{SCHEDULE}::test_it_goes_on_its_day_and_not_a_second_before",),
    ),
    Control(
        "a legal hold keeps mails",
        "they go on their day, whoever they are to",
        f"{ROOM}/keeping.py",
        '    return found - {""}',
        "    return set()",
        (f"{SCHEDULE}::test_a_hold_keeps_mails_to_that_client_and_nobody_elses",),
    ),
    Control(
        "a duty that fails keeps none of the others from being done",
        "the run ends with it",
        f"{ROOM}/schedule.py",
        "        failed.append(str(name))",
        "        raise",
        (
            f"{SCHEDULE}::test_a_duty_that_fails_keeps_none_of_the_others_from_being_done",
            f"{SCHEDULE}::test_the_page_says_what_could_not_go",
        ),
    ),
    Control(
        "a duty that lets nothing go ends",
        "it is handed the same rows again",
        f"{ROOM}/schedule.py",
        "            raise NothingWent\n",
        "            break\n",
        (f"{SCHEDULE}::test_a_duty_that_lets_nothing_go_ends_and_is_noted",),
    ),
    Control(
        "a legal hold stops the schedule",
        "the schedule does not ask",
        f"{ROOM}/duties.py",
        "    return sa.and_(~held, ~forgotten)",
        "    return ~forgotten",
        (f"{SCHEDULE}::test_a_hold_stops_the_schedule_for_that_client_alone",),
    ),
    Control(
        "the register outlives the database",
        "the line is never written",
        "core/erasures.py",
        'separator + "".join(f"{line}\\n" for line in lines).encode()',
        'b""',
        (
            f"{REGISTER}::test_erasing_destroys_one_realm_and_is_registered_twice",
            f"{ERASING}::test_the_register_has_the_line_whenever_the_process_died_after_the_commit",
        ),
    ),
    Control(
        "what was lost on the way to the register is written again",
        "a line is written for the newest erasure alone",
        "core/erasures.py",
        "    missing = [line.text for line in _registered() if line.text not in written]",
        "    missing = [line.text for line in _registered()[-1:] if line.text not in written]",
        (f"{REGISTER}::test_a_line_whose_work_was_set_aside_is_written_with_the_next_one",),
    ),
    Control(
        "nothing of a destroyed key is left in the files",
        "what was written before the erasure stays there",
        "core/overwriting.py",
        "            _empty_the_log(connection)\n",
        "            pass\n",
        (
            "tests/core/test_overwriting.py"
            "::test_after_an_erasure_nothing_of_the_key_is_in_the_files",
        ),
    ),
    Control(
        "a restored backup is forgotten once more",
        "only the keys are destroyed again",
        "core/erasures.py",
        "        replayed.send(owner, session=session, at=at)",
        "        pass",
        (f"{ERASING}::test_a_restored_backup_is_forgotten_once_more",),
    ),
    Control(
        "a small group of the fairness audit is kept back",
        "a group of any size is shown",
        "matching/auditing.py",
        "    back: Flags = np.less(people, FEWEST_PEOPLE)\n",
        "    back: Flags = np.less(people, 1)\n",
        (
            "tests/matching/test_auditing.py::"
            "test_a_group_of_forty_nine_is_kept_back_and_so_is_the_next_smallest",
            f"{FAIRNESS}::test_of_a_group_that_is_kept_back_nothing_is_kept",
        ),
    ),
    Control(
        "a small group of the fairness audit cannot be had by subtraction",
        "it is kept back alone",
        "matching/auditing.py",
        "if _gives_nobody_away(people[back], unsaid):",
        "if True:",
        (
            "tests/matching/test_auditing.py::"
            "test_a_group_of_forty_nine_is_kept_back_and_so_is_the_next_smallest",
        ),
    ),
    Control(
        "a few who did not say cannot be had by subtraction either",
        "those who did not say are not counted with whom is kept back",
        "matching/auditing.py",
        "if not len(hidden) and not 0 < unsaid < FEWEST_PEOPLE:",
        "if not len(hidden):",
        (
            "tests/matching/test_auditing.py::"
            "test_a_few_who_did_not_say_keep_the_smallest_group_back",
        ),
    ),
    Control(
        "what is stated for the fairness audit is no part of a match",
        "the person who looks at a match reads it",
        "practice/matches/reviews/cases.py",
        'hours wishes style"',
        'hours wishes style about-you"',
        (
            "tests/practice/oversight/test_fairness.py::"
            "test_what_people_state_about_themselves_is_no_part_of_the_match",
        ),
    ),
    Control(
        "the fairness audit counts nobody without the privacy notice",
        "a notice that was taken back still counts",
        "practice/oversight/policy.py",
        "        in_force(Purpose.privacy_notice, Intake.client_id),\n",
        "",
        (f"{FAIRNESS}::test_whoever_took_back_the_privacy_notice_is_not_counted",),
    ),
    Control(
        "the schedule asks of each client whether they were forgotten",
        "whoever was erased is left to the schedule as well",
        "practice/privacy/duties.py",
        "return sa.and_(~held, ~forgotten)",
        "return ~held",
        (
            "tests/practice/privacy/test_schedule.py"
            "::test_whoever_was_erased_leaves_the_schedule_alone",
        ),
    ),
)
