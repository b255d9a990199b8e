"""Track record: whose outcomes count, when it is good enough, and who reads what."""

from tests.controls.control import Control

COURSES = "tests/practice/outcomes/test_courses.py"
COUNTING = "tests/practice/outcomes/test_counting.py"
LEARNING = "tests/practice/outcomes/test_learning.py"
SWITCH = "tests/practice/outcomes/test_switch.py"
OWN = "tests/practice/outcomes/test_own.py"
MARKET = "tests/practice/matches/market/test_track_record.py"

CONTROLS = (
    Control(
        "no outcome counts without the client's own agreement to it",
        "the privacy notice and the assessment are taken for it",
        "practice/outcomes/policy.py",
        "RESTS_ON = (Purpose.privacy_notice, Purpose.assessment, Purpose.learning)",
        "RESTS_ON = (Purpose.privacy_notice, Purpose.assessment)",
        (
            f"{COURSES}::test_without_their_own_agreement_nobody_is_counted",
            f"{COUNTING}::test_whoever_took_it_back_is_gone_with_the_next_count",
        ),
    ),
    Control(
        "track record is off until it is turned on",
        "it counts whatever was decided",
        "practice/matches/market/track_record.py",
        "    report = newest_report(session) if is_on(session) else None\n",
        "    report = newest_report(session)\n",
        (
            f"{MARKET}::test_while_it_is_off_everybody_stands_at_500_without_a_bonus",
            f"{MARKET}::test_a_proposal_or_a_refusal_turns_nothing_on",
        ),
    ),
    Control(
        "a count that is too old lets track record count for nobody",
        "it counts on",
        "practice/matches/market/track_record.py",
        " or is_too_old(report, at) or",
        " or",
        (
            f"{MARKET}::test_when_the_last_count_is_too_old_it_counts_for_nobody_until_a_new_one",
            f"{SWITCH}::test_a_count_that_is_too_old_rests_the_switch_and_both_pages_say_so",
        ),
    ),
    Control(
        "a count that becomes too old while pages are shown counts no more",
        "who laid the market out before does not notice",
        "practice/matches/market/entries.py",
        "    if records.until is not None:\n        ends.append(records.until)\n",
        "",
        (f"{MARKET}::test_when_the_last_count_is_too_old_it_counts_for_nobody_until_a_new_one",),
    ),
    Control(
        "one damaged track record takes nobody's matches away",
        "it is an error of every page",
        "practice/matches/market/track_record.py",
        "    except (Erased, Unreadable, AttributeError, KeyError, TypeError, ValueError) as",
        "    except Erased as",
        (
            f"{MARKET}::test_a_damaged_record_is_logged_and_left_out_and_nobody_else_is",
            f"{OWN}::test_a_damaged_record_is_told_to_its_owner_until_the_next_count",
        ),
    ),
    Control(
        "of a record that is damaged in one figure none is believed",
        "only what the engine counts is looked at",
        "practice/matches/record_figures.py",
        '    if figures["cases"] is not None:\n',
        "    if False:\n",
        (
            f"{OWN}::test_of_a_record_with_one_figure_that_is_none_nothing_is_said",
            f"{MARKET}::test_a_damaged_record_is_logged_and_left_out_and_nobody_else_is",
        ),
    ),
    Control(
        "no record counts without the therapist's own agreement",
        "a record that is kept counts",
        "practice/matches/market/track_record.py",
        "wanted = sa.select(TrackRecord).join(TrackRecord.therapist).where(agrees())",
        "wanted = sa.select(TrackRecord).join(TrackRecord.therapist)",
        (f"{MARKET}::test_who_has_not_agreed_who_has_too_few_and_who_is_new_have_the_same",),
    ),
    Control(
        "an agreement taken back counts in no process any more",
        "the market does not notice",
        "practice/matches/market/changes.py",
        "WeeklyHours, TrackRecordAgreement, TrackRecord)",
        "WeeklyHours)",
        (f"{MARKET}::test_taken_back_in_one_process_it_counts_at_the_others_next_page_no_more",),
    ),
    Control(
        "track record turned off counts in no process any more",
        "the market does not notice",
        "practice/matches/market/changes.py",
        "OF_EVERYBODY = (TrackRecordDecision,)",
        "OF_EVERYBODY: tuple[type, ...] = ()",
        (f"{MARKET}::test_turned_off_in_one_process_it_is_off_at_the_others_next_page",),
    ),
    Control(
        "a promise that is not kept turns no track record on",
        "the calibration is not looked at",
        "practice/outcomes/gate.py",
        "    yield from _against_calibration(report)\n",
        "",
        (f"{SWITCH}::test_a_count_that_is_not_good_enough_turns_nothing_on_and_says_why",),
    ),
    Control(
        "too few cases turn no track record on",
        "any number is enough",
        "practice/outcomes/gate.py",
        "FEWEST_CASES = 300",
        "FEWEST_CASES = 0",
        (f"{SWITCH}::test_a_count_that_is_not_good_enough_turns_nothing_on_and_says_why",),
    ),
    Control(
        "a count that became worse stops the second person's yes",
        "only the proposal is held to it",
        "practice/outcomes/operations.py",
        "    report = _good_report(session, at)\n    return _decide(",
        "    report = proposal.report\n    return _decide(",
        (f"{SWITCH}::test_a_count_that_became_worse_since_the_proposal_stops_the_yes",),
    ),
    Control(
        "a count that is not good enough turns track record off",
        "it stays on",
        "practice/outcomes/counting.py",
        "        if against := obstacles(report, at):\n"
        "            turn_itself_off(session, report, against, at)\n",
        "",
        (f"{SWITCH}::test_a_count_that_is_not_good_enough_turns_it_off_by_itself",),
    ),
    Control(
        "track record is turned on by two people",
        "the lead's own yes is enough",
        "practice/outcomes/operations.py",
        "    require_two(session, proposal.decided_by, actor, at, asks_as=(Role.clinical_lead,))\n",
        "",
        (
            f"{SWITCH}::test_nobody_is_both_people",
            f"{SWITCH}::test_an_administrator_and_the_lead_they_made_lately_are_one_hand",
        ),
    ),
    Control(
        "under fifteen cases nothing is kept of a therapist",
        "their number and their effect are kept",
        "practice/outcomes/learning.py",
        "        enough = cases >= ENOUGH_CASES\n",
        "        enough = True\n",
        (f"{LEARNING}::test_under_fifteen_cases_nothing_counts_and_nothing_is_kept",),
    ),
    Control(
        "nothing is kept of a therapist who has not agreed",
        "everybody with cases is kept",
        "practice/outcomes/counting.py",
        "wanted = sa.select(Therapist).where(agrees(), Therapist.id.in_(learned.therapists))",
        "wanted = sa.select(Therapist).where(Therapist.id.in_(learned.therapists))",
        (f"{COUNTING}::test_a_count_keeps_figures_of_all_and_of_those_who_agreed_alone",),
    ),
    Control(
        "a therapist reads nobody's record but their own",
        "the first record there is",
        "practice/outcomes/queries.py",
        "wanted.where(Therapist.id == therapist.id, agrees())",
        "wanted.where(agrees())",
        (f"{OWN}::test_nobody_reads_anybody_elses_record",),
    ),
    Control(
        "of few cases together no mean is kept unsealed",
        "it is kept of any number",
        "practice/outcomes/learning.py",
        "        is_enough = len(self.cases) >= FEWEST_CASES\n",
        "        is_enough = len(self.cases) > 0\n",
        (f"{LEARNING}::test_of_fewer_cases_than_may_decide_anything_no_mean_is_kept",),
    ),
    Control(
        "one damaged sheet does not end the counting",
        "it is an error of the count",
        "practice/outcomes/courses.py",
        "    except (Erased, Unreadable):\n",
        "    except Erased:\n",
        (f"{COURSES}::test_a_sheet_that_does_not_open_is_left_out_and_the_others_count",),
    ),
    Control(
        "one client more is not read off a therapist's own page",
        "cases are told to the one",
        "practice/outcomes/words.py",
        "    return cases - cases % BY_CASES\n",
        "    return cases\n",
        (f"{OWN}::test_one_client_more_is_not_read_off_the_page",),
    ),
    Control(
        "a severe caseload does not set a therapist back",
        "outcomes are compared as they are",
        "matching/learning/effects.py",
        "    slope = slope_within(sums, cases.reliability)\n",
        "    slope = 0.0\n",
        (f"{LEARNING}::test_a_severe_caseload_does_not_set_anybody_back",),
    ),
    Control(
        "of a damaged count nothing is believed",
        "it counts as it is",
        "practice/matches/market/track_record.py",
        " or is_damaged(report):",
        ":",
        (
            "tests/practice/outcomes/test_switch.py"
            "::test_a_damaged_count_turns_nothing_on_counts_for_nobody_and_says_so",
        ),
    ),
)
